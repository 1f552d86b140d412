import { PosthornError } from '../errors.ts';
import { hashKey } from '../rules/api-key.ts';
import type { RateLimit } from '../rules/rate.ts';
import type { Principal, Via } from '../types.ts';
import type { Context } from '../use-case.ts';
import { authenticate, principalOfHash } from './keys.ts';

const lifeMs = 12 * 3_600_000;
/** However often it is renewed: who stole a cookie must not keep it for ever. */
const wholeLifeMs = 7 * 24 * 3_600_000;
/** What sessions are sealed for: a sealed secret of an endpoint is none, and the other way round. */
const owner = 'session';

/** A sign-in of the page. The token holds the key's hash, sealed: neither a thief of the cookie nor of the database gets the key. */
export interface Session {
  principal: Principal;
  /** Set when the browser has to keep a new one. */
  token: string | null;
  secondsLeft: number;
}

/** What a token holds. */
interface Sealed {
  hash: string;
  signedInAt: number;
  expiresAt: number;
}

/**
 * Throws `unauthorized`, or `rate_limited` for a caller that failed too often. A try is counted before its key is read, so that
 * neither many at once nor slow ones pass by the count, and given back when the key opens.
 */
export async function signIn(
  context: Context,
  tries: RateLimit,
  given: { readKey: () => Promise<string>; caller: string; via: Via },
): Promise<Session> {
  const retryAfterSeconds = tries.take(given.caller, 1, context.clock.now());
  if (retryAfterSeconds !== null) {
    const message = `Too many failed sign-ins from your address: wait ${retryAfterSeconds} s.`;
    throw new PosthornError('rate_limited', message, { retryAfterSeconds });
  }
  const key = await given.readKey();
  const principal = await authenticate(context, key, given.via);
  tries.give(given.caller, 1);
  return opened(context, principal, hashKey(key).toString('base64'), context.clock.now());
}

/**
 * Who a token stands for. The key is looked up anew at every request, so that one that was revoked opens nothing any more. A
 * session in its second half is renewed. Throws `unauthorized`.
 */
export async function resumeSession(context: Context, token: string, via: Via): Promise<Session> {
  const sealed = unsealed(context, token);
  const leftMs = sealed === null ? 0 : sealed.expiresAt - context.clock.now();
  if (sealed === null || leftMs <= 0) throw new PosthornError('unauthorized', 'The sign-in has expired.');
  const principal = await principalOfHash(context, Buffer.from(sealed.hash, 'base64'), via);
  const isLast = sealed.expiresAt >= sealed.signedInAt + wholeLifeMs;
  if (leftMs < lifeMs / 2 && !isLast) return opened(context, principal, sealed.hash, sealed.signedInAt);
  return { principal, token: null, secondsLeft: leftMs / 1_000 };
}

function opened(context: Context, principal: Principal, hash: string, signedInAt: number): Session {
  const now = context.clock.now();
  const expiresAt = Math.min(now + lifeMs, signedInAt + wholeLifeMs);
  const text = JSON.stringify({ hash, signedInAt, expiresAt } satisfies Sealed);
  const token = context.vault.seal(text, owner).toString('base64url');
  return { principal, token, secondsLeft: (expiresAt - now) / 1_000 };
}

function unsealed(context: Context, token: string): Sealed | null {
  try {
    return JSON.parse(context.vault.open(Buffer.from(token, 'base64url'), owner)) as Sealed;
  } catch {
    return null;
  }
}
