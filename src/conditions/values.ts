import { type Frame, spend } from './frame.ts';

/** Characters that are looked at for one step. */
const charactersPerStep = 16;
/** Comparisons of characters for one step: searching compares each place of a text with the start of what is sought, and with
 * the whole of it where somebody chose both so (2.2 s for 25,000 characters in 200,000). */
const comparisonsPerStep = 256;

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** False when the steps do not reach for a text this long. */
export function spendOnText(frame: Frame, ...texts: string[]): boolean {
  return spend(
    frame,
    texts.reduce((sum, text) => sum + 1 + text.length / charactersPerStep, 0),
  );
}

/** False when the steps do not reach for a search in this text. */
export function spendOnSearch(frame: Frame, text: string, sought: string): boolean {
  return spendOnText(frame, text, sought) && spend(frame, (text.length * sought.length) / comparisonsPerStep);
}

/** What exists() and all() go through: the entries of a list or the keys of an object. Null: neither. Undefined: too many. */
export function entriesOf(frame: Frame, value: unknown): unknown[] | null | undefined {
  if (Array.isArray(value)) return value;
  if (!isObject(value)) return null;
  return keysOf(frame, value);
}

/** Characters of a text, entries of a list, keys of an object. Null: none of them. Undefined: too many steps. */
export function sizeOf(frame: Frame, value: unknown): number | null | undefined {
  if (typeof value === 'string') return spendOnText(frame, value) ? characters(value) : undefined;
  const entries = entriesOf(frame, value);
  return entries?.length ?? (entries === null ? null : undefined);
}

/** Undefined: too many steps. Nothing is listed once they are used up: each listing costs before it can be counted. */
function keysOf(frame: Frame, value: JsonObject): string[] | undefined {
  if (!spend(frame, 1)) return undefined;
  const keys = Object.keys(value);
  return spend(frame, keys.length) ? keys : undefined;
}

/** Counts a pair of surrogates once. */
function characters(text: string): number {
  let count = text.length;
  for (let at = 1; at < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) count--;
  }
  return count;
}

/** Deep equality of JSON; values of different types are different. Undefined: too many steps. */
export function equal(frame: Frame, a: unknown, b: unknown): boolean | undefined {
  if (typeof a === 'string' && typeof b === 'string') {
    if (a.length !== b.length) return false;
    return spendOnText(frame, a) ? a === b : undefined;
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) && Array.isArray(b)) return sameLists(frame, a, b);
  return isObject(a) && isObject(b) ? sameObjects(frame, a, b) : false;
}

function sameLists(frame: Frame, a: unknown[], b: unknown[]): boolean | undefined {
  if (a.length !== b.length) return false;
  for (const [index, entry] of a.entries()) {
    const same = spend(frame, 1) ? equal(frame, entry, b[index]) : undefined;
    if (same !== true) return same;
  }
  return true;
}

function sameObjects(frame: Frame, a: JsonObject, b: JsonObject): boolean | undefined {
  const keys = keysOf(frame, a);
  const others = keysOf(frame, b);
  if (keys === undefined || others === undefined) return undefined;
  if (keys.length !== others.length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false;
    const same = equal(frame, a[key], b[key]);
    if (same !== true) return same;
  }
  return true;
}

/** Whether an object has the key, or a list an equal entry. Null: neither object nor list. Undefined: too many steps. */
export function contains(frame: Frame, container: unknown, sought: unknown): boolean | null | undefined {
  if (isObject(container)) return typeof sought === 'string' && Object.hasOwn(container, sought);
  if (!Array.isArray(container)) return null;
  for (const entry of container) {
    const same = spend(frame, 1) ? equal(frame, entry, sought) : undefined;
    if (same !== false) return same;
  }
  return false;
}
