import type { IncomingHttpHeaders } from 'node:http';
import { VerificationError, verify, verifyPlain } from '../verify.ts';

/** `valid`, `unchecked` where no secret was given, or what is wrong. */
export type Verdict = string;

export interface Verdicts {
  /** `webhook-signature` (Standard Webhooks 1.0). */
  standard: Verdict;
  /** `X-<Brand>-Signature`. */
  plain: Verdict;
}

const missing = 'the header is missing';

/** What both signatures of a request are worth, as `posthorn/verify` tells receivers. */
export function verdictsOf(headers: IncomingHttpHeaders, body: string, secret: string | null): Verdicts {
  if (secret === null) return { standard: 'unchecked', plain: 'unchecked' };
  return { standard: standardVerdict(headers, body, secret), plain: plainVerdict(headers, body, secret) };
}

/** Whether a receiver may take it: what the branded header says counts where it was sent. */
export function isGenuine({ standard, plain }: Verdicts): boolean {
  const isRight = (verdict: Verdict) => verdict === 'valid' || verdict === 'unchecked';
  return isRight(standard) && (isRight(plain) || plain === missing);
}

function standardVerdict(headers: IncomingHttpHeaders, body: string, secret: string): Verdict {
  try {
    verify({ secret, headers, body });
    return 'valid';
  } catch (error) {
    // It parses the body only when the signature was right.
    return error instanceof VerificationError ? error.message : 'valid';
  }
}

function plainVerdict(headers: IncomingHttpHeaders, body: string, secret: string): Verdict {
  const given = Object.entries(headers).filter(([name]) => /^x-.+-signature(-next)?$/.test(name));
  if (given.length === 0) return missing;
  const isRight = given.some(([, value]) => typeof value === 'string' && verifyPlain(secret, body, value));
  return isRight ? 'valid' : 'it does not fit the secret and the body';
}
