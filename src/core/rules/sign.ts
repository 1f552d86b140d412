import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

const standardPrefix = 'whsec_';
const standardKeyBytesMin = 24;
const standardKeyBytesMax = 64;
const secretCharactersMin = 8;
const secretCharactersMax = 256;

/** A secret's two keys, made once per endpoint and not per delivery. */
export interface SigningKey {
  /** Of `webhook-signature`: the decoded bytes of a `whsec_` secret, otherwise its characters. */
  standard: KeyObject;
  /** Of `X-<Brand>-Signature`: always the secret's characters. */
  plain: KeyObject;
}

/** Whether a secret that a caller chose can sign: `whsec_` and base64 of 24 to 64 bytes, or 8 to 256 characters. */
export function secretFault(secret: string): string | null {
  if (!secret.startsWith(standardPrefix)) {
    const fits = secret.length >= secretCharactersMin && secret.length <= secretCharactersMax;
    return fits ? null : `use ${secretCharactersMin} to ${secretCharactersMax} characters`;
  }
  const bytes = standardKey(secret);
  if (bytes !== null && bytes.length >= standardKeyBytesMin && bytes.length <= standardKeyBytesMax) return null;
  return `after ${standardPrefix} comes base64 of ${standardKeyBytesMin} to ${standardKeyBytesMax} bytes`;
}

export function newSecret(randomBytes: Buffer): string {
  return standardPrefix + randomBytes.toString('base64');
}

export function signingKey(secret: string): SigningKey {
  const plain = createSecretKey(secret, 'utf8');
  const bytes = secret.startsWith(standardPrefix) ? standardKey(secret) : null;
  return { standard: bytes === null ? plain : createSecretKey(bytes), plain };
}

/**
 * What the signatures cover, as bytes that are encoded once: `content` is `id.timestamp.body` (Standard Webhooks 1.0), and
 * `body` the last part of the same buffer.
 */
export function signedContent(id: string, timestampSeconds: number, body: string): { content: Buffer; body: Buffer } {
  const head = `${id}.${timestampSeconds}.`;
  const content = Buffer.from(head + body);
  return { content, body: content.subarray(Buffer.byteLength(head)) };
}

/** One entry of `webhook-signature` (Standard Webhooks 1.0): `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`. */
export function standardSignature(key: SigningKey, content: Buffer): string {
  return `v1,${createHmac('sha256', key.standard).update(content).digest('base64')}`;
}

/** `X-<Brand>-Signature`: HMAC-SHA256 of the raw body, in hex. */
export function plainSignature(key: SigningKey, body: string | Buffer): string {
  return createHmac('sha256', key.plain).update(body).digest('hex');
}

function standardKey(secret: string): Buffer | null {
  const text = secret.slice(standardPrefix.length);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  // Buffer.from forgives wrong lengths and stray bits; a receiver's decoder may not. Missing padding is forgiven by all.
  return bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '') ? bytes : null;
}
