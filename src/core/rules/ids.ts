import { PosthornError } from '../errors.ts';

const digits = 11;

/** Deliveries and attempts are known by their row: eleven base-32 digits hold every integer up to 2^53. */
export function rowId(prefix: 'dlv' | 'att', row: number): string {
  return `${prefix}_${row.toString(32).padStart(digits, '0')}`;
}

/** The row of a public id, or null when it is not one. */
export function rowOf(prefix: 'dlv' | 'att', id: string): number | null {
  const match = /^([a-z]+)_([0-9a-v]{11})$/.exec(id);
  if (match?.[1] !== prefix || match[2] === undefined) return null;
  const row = Number.parseInt(match[2], 32);
  return Number.isSafeInteger(row) ? row : null;
}

/** The opaque `next_cursor` of a page that ended with this row. */
export function cursorAfter(row: number): string {
  return Buffer.from(`r${row}`).toString('base64url');
}

/** The row that a page starts below. Throws `validation_failed` for anything that is not a cursor of ours. */
export function rowBefore(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const match = /^r(\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  const row = Number(match?.[1]);
  if (match === null || !Number.isSafeInteger(row) || cursorAfter(row) !== cursor) {
    const message = 'is not a cursor: pass next_cursor of the page before, unchanged';
    throw new PosthornError('validation_failed', `cursor ${message}.`, { errors: [{ path: '/cursor', message }] });
  }
  return row;
}
