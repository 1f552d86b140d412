import { timingSafeEqual } from 'node:crypto';
import { plainSignature, signedContent, signingKey, standardSignature } from './core/rules/sign.ts';

/**
 * The receiver's side, `posthorn/verify`: whether a request really came from Posthorn. It needs nothing but node:crypto.
 *
 * ```js
 * import { verify } from 'posthorn/verify';
 * const event = verify({ secret, headers: request.headers, body: rawBody }); // throws VerificationError
 * ```
 */
export interface VerifyInput {
  /** As it was shown when the subscription was created; while it rotates, old and new. */
  secret: string | readonly string[];
  /** A `Headers`, or an object as Node gives it; names in any case. */
  headers: Headers | Record<string, string | readonly string[] | undefined>;
  /** The body exactly as it was received: parsing and printing it again breaks the signature. */
  body: string | Uint8Array;
  /** How far `webhook-timestamp` may be from now, in seconds; 300 unless told. Guards against replayed requests. */
  toleranceSeconds?: number;
  /** Epoch milliseconds; the present unless told. */
  now?: number;
}

/** What was verified. `data` is missing where the endpoint does not get it. */
export interface VerifiedEvent {
  id: string;
  type: string;
  timestamp: string;
  data?: unknown;
}

export class VerificationError extends Error {
  override readonly name = 'VerificationError';
}

/** Checks `webhook-signature` (Standard Webhooks 1.0) and answers the event. Throws VerificationError. */
export function verify({
  secret,
  headers,
  body,
  toleranceSeconds = 300,
  now = Date.now(),
}: VerifyInput): VerifiedEvent {
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const given = headerOf(headers, 'webhook-signature').split(' ');
  if (!/^\d{1,15}$/.test(timestamp)) throw new VerificationError('webhook-timestamp is not a number of seconds');
  const seconds = Number(timestamp);
  if (Math.abs(now / 1_000 - seconds) > toleranceSeconds) {
    throw new VerificationError('webhook-timestamp is too far from the present');
  }
  const text = textOf(body);
  const { content } = signedContent(id, seconds, text);
  const expected = secretsOf(secret).map((one) => standardSignature(signingKey(one), content));
  if (!expected.some((one) => given.some((other) => equal(one, other)))) {
    throw new VerificationError('no signature in webhook-signature fits the secret and the body');
  }
  return JSON.parse(text) as VerifiedEvent;
}

/** Whether `X-<Brand>-Signature` is HMAC-SHA256 of the raw body with the secret's characters, in hex. */
export function verifyPlain(secret: string, body: string | Uint8Array, signature: string): boolean {
  return equal(plainSignature(signingKey(secret), textOf(body)), signature);
}

function secretsOf(secret: VerifyInput['secret']): readonly string[] {
  return typeof secret === 'string' ? [secret] : secret;
}

function headerOf(headers: VerifyInput['headers'], name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : valueIn(headers, name);
  if (typeof value !== 'string' || value === '') throw new VerificationError(`the header ${name} is missing`);
  return value;
}

function valueIn(headers: Exclude<VerifyInput['headers'], Headers>, name: string): unknown {
  const found = Object.keys(headers).find((key) => key.toLowerCase() === name);
  return found === undefined ? undefined : headers[found];
}

function textOf(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
}

/** In constant time for equal lengths, which are public. */
function equal(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
