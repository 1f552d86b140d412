import { formatDuration } from '../core/rules/times.ts';

/**
 * Readers of single environment values. Each takes the trimmed, non-empty text, and answers the value or throws a
 * `ValueFault` whose message completes the sentence "NAME …".
 */
export class ValueFault extends Error {}

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const dayMs = unitsMs.d;
const separator = /\s*,\s*/;

/** A duration such as `15s` in milliseconds, within `minMs` and `maxMs`. */
export function duration(minMs: number, maxMs: number): (text: string) => number {
  return (text) => {
    const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text);
    if (!match) throw new ValueFault('is not a duration, a whole number with ms, s, m, h or d');
    const ms = Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs];
    if (ms < minMs) throw new ValueFault(`is too short, the least is ${formatDuration(minMs)}`);
    if (ms > maxMs) throw new ValueFault(`is too long, the most is ${formatDuration(maxMs)}`);
    return ms;
  };
}

/** Comma-separated durations; `0s` is a retry at once. */
export function durations(countMax: number, eachMaxMs = 365 * dayMs): (text: string) => number[] {
  const each = duration(0, eachMaxMs);
  return (text) => {
    const parts = list(text);
    if (parts.length > countMax) throw new ValueFault(`has ${parts.length} entries, at most ${countMax} are possible`);
    return eachOf(parts, each);
  };
}

/** A whole number in decimal digits. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new ValueFault(`is not a whole number from ${min} to ${max}`);
    return value;
  };
}

export function oneOf<const T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text.toLowerCase());
    if (found === undefined) throw new ValueFault(`is not one of ${choices.join(', ')}`);
    return found;
  };
}

export function manyOf<const T extends string>(choices: readonly T[]): (text: string) => T[] {
  const one = oneOf(choices);
  return (text) => [...new Set(eachOf(list(text), one))];
}

/** `on` or `off`, also as `1`, `0`, `true`, `false`, `yes`, `no`. */
export function onOff(text: string): boolean {
  const value = text.toLowerCase();
  if (['on', '1', 'true', 'yes'].includes(value)) return true;
  if (['off', '0', 'false', 'no'].includes(value)) return false;
  throw new ValueFault('is neither on nor off (1, 0, true, false, yes and no do too)');
}

/** A secret that travels in a header: printable ASCII only. */
export function headerSafe(charactersMin: number, charactersMax = 1_000): (text: string) => string {
  return (text) => {
    if (text.length < charactersMin)
      throw new ValueFault(`has ${text.length} characters, at least ${charactersMin} are needed`);
    if (text.length > charactersMax) throw new ValueFault(`has more than ${charactersMax} characters`);
    if (!/^[\x20-\x7e]+$/.test(text))
      throw new ValueFault('has characters that a header cannot carry, printable ASCII is possible');
    return text;
  };
}

/** Exactly `count` bytes in base64, in the standard or the URL-safe alphabet, padded or not. */
export function base64Bytes(count: number): (text: string) => Buffer {
  return (text) => {
    const standard = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
    const bytes = Buffer.from(standard, 'base64');
    const fits = bytes.length === count && bytes.toString('base64').replace(/=+$/, '') === standard;
    if (!fits) throw new ValueFault(`is not base64 of exactly ${count} bytes`);
    return bytes;
  };
}

/** The entries of a comma-separated list. An empty one is a slip of whoever wrote it, and what was meant is not known. */
export function list(text: string): string[] {
  const parts = text.split(separator);
  const empty = parts.indexOf('');
  if (empty !== -1) throw new ValueFault(`has an empty entry (entry ${empty + 1})`);
  return parts;
}

/** Reads each entry with `one`; a fault tells which entry it is. */
export function eachOf<T>(parts: readonly string[], one: (text: string) => T): T[] {
  return parts.map((part, index) => {
    try {
      return one(part);
    } catch (fault) {
      throw new ValueFault(`has an entry that ${(fault as Error).message} (entry ${index + 1})`);
    }
  });
}
