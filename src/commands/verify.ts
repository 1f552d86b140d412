import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { plainSignature, type SigningKey, standardSignature } from '../core/rules/sign.ts';

/** `unchecked`: no secret was given. `stale`: right, but its timestamp is too far from now. */
export type Verdict = 'valid' | 'invalid' | 'stale' | 'missing' | 'unchecked';

export interface Verdicts {
  /** `webhook-signature` (Standard Webhooks 1.0). */
  standard: Verdict;
  /** `X-<Brand>-Signature`. */
  plain: Verdict;
}

/** As Standard Webhooks recommends: what is older may be a replay. */
const toleranceSeconds = 300;

/** What both signatures of a request are worth. `now` is in epoch milliseconds. */
export function verify(headers: IncomingHttpHeaders, body: string, key: SigningKey | null, now: number): Verdicts {
  if (key === null) return { standard: 'unchecked', plain: 'unchecked' };
  return { standard: standardVerdict(headers, body, key, now), plain: plainVerdict(headers, body, key) };
}

function standardVerdict(headers: IncomingHttpHeaders, body: string, key: SigningKey, now: number): Verdict {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) => one(headers[`webhook-${name}`]));
  if (id === undefined || timestamp === undefined || signatures === undefined) return 'missing';
  if (!/^\d{1,12}$/.test(timestamp)) return 'invalid';
  const expected = standardSignature(key, id, Number(timestamp), body);
  if (!signatures.split(' ').some((signature) => equal(signature, expected))) return 'invalid';
  return Math.abs(now / 1_000 - Number(timestamp)) <= toleranceSeconds ? 'valid' : 'stale';
}

function plainVerdict(headers: IncomingHttpHeaders, body: string, key: SigningKey): Verdict {
  const given = Object.keys(headers)
    .filter((name) => /^x-.+-signature(-next)?$/.test(name))
    .flatMap((name) => one(headers[name]) ?? []);
  if (given.length === 0) return 'missing';
  const expected = plainSignature(key, body);
  return given.some((signature) => equal(signature, expected)) ? 'valid' : 'invalid';
}

function equal(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
