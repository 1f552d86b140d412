import type { IncomingMessage } from 'node:http';
import { PosthornError } from '../core/errors.ts';
import { limits } from '../core/inputs.ts';
import type { RequestContext } from './context.ts';

const mediaTypePattern = /^(?:application\/json|[\w!#$&^.+-]+\/[\w!#$&^.+-]+\+json)$/i;
const charsetPattern = /^charset="?utf-8"?$/i;
const mebibyte = 1_024 * 1_024;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The JSON value of a body, exactly as JSON.parse makes it; undefined when there is no body, which needs no content type.
 * Throws `payload_too_large`, `unsupported_media_type` or `invalid_json`.
 */
export async function readJson(c: RequestContext): Promise<unknown> {
  const bytes = await readBytes(c);
  if (bytes.length === 0) return undefined;
  requireJson(c.req.raw.headers);
  try {
    return JSON.parse(utf8.decode(bytes)) as unknown;
  } catch {
    // The parser's own message quotes the body, which may hold secrets.
    throw new PosthornError('invalid_json', 'The body is not one JSON value in UTF-8.');
  }
}

/** The bytes of a body of at most 5 MiB, or as many as are said, counted as they come. Throws `payload_too_large`. */
export async function readBytes(c: RequestContext, bytesMax: number = limits.requestBytesMax): Promise<Uint8Array> {
  if (Number(c.req.raw.headers.get('content-length')) > bytesMax) throw tooLarge(bytesMax);
  const incoming = c.env?.incoming;
  return incoming === undefined ? readStream(c.req.raw.body, bytesMax) : readIncoming(incoming, bytesMax);
}

/** RFC 8259 section 11 knows no charset parameter; clients send one all the same, and only UTF-8 is true. */
function requireJson(headers: Headers): void {
  const contentType = headers.get('content-type') ?? '';
  if (contentType !== 'application/json') {
    const [mediaType, ...parameters] = contentType.split(';').map((part) => part.trim());
    const charsets = parameters.filter((parameter) => /^charset=/i.test(parameter));
    if (!mediaTypePattern.test(mediaType ?? '') || !charsets.every((charset) => charsetPattern.test(charset))) {
      throw new PosthornError('unsupported_media_type', 'Send the body as application/json in UTF-8.');
    }
  }
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new PosthornError('unsupported_media_type', 'Send the body without a content encoding.');
  }
}

/**
 * Reads Node's own stream, which is several times cheaper than the web stream made from it. After a body that is too large
 * the rest is left to the adapter, which drains a little of it, so that the client sees the answer, and then hangs up.
 */
function readIncoming(incoming: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // The client hung up while its key was looked up: what is waited for below has happened already.
    if (incoming.destroyed) return reject(cutShort());
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (then: () => void) => {
      incoming.off('data', onData).off('end', onEnd).off('close', onClose);
      then();
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > bytesMax) settle(() => reject(tooLarge(bytesMax)));
      else chunks.push(chunk);
    };
    const onEnd = () => settle(() => resolve(joined(chunks)));
    const onClose = () => settle(() => reject(cutShort()));
    incoming.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

async function readStream(stream: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (stream === null) return joined(chunks);
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return joined(chunks);
}

function joined(chunks: Uint8Array[]): Uint8Array {
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function tooLarge(bytesMax: number): PosthornError {
  const [size, unit] = bytesMax < mebibyte ? [bytesMax / 1_024, 'KiB'] : [bytesMax / mebibyte, 'MiB'];
  return new PosthornError('payload_too_large', `The body is larger than ${size} ${unit}.`);
}

function cutShort(): PosthornError {
  return new PosthornError('invalid_json', 'The connection ended inside the body.');
}
