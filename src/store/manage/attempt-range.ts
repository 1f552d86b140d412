import type { Kysely } from 'kysely';
import type { AttemptQuery } from '../../core/ports.ts';
import type { Tables } from '../tables.ts';

const recordedWithinMsDefault = 60_000;

/** Ids of attempts, from one to below another; null where nothing bounds them. */
export interface AttemptRange {
  from: number | null;
  to: number | null;
}

/**
 * Between which ids the attempts of a time are to be looked for. The log is in the order in which attempts were recorded,
 * which is nearly that of their times: so the place is found by halving, in some twenty reads, where an index by time
 * would cost every delivery and looking at all of them seconds. What was recorded later than `recordedWithinMs` after it
 * began, or under a clock that was set back by more, may be missed.
 */
export async function attemptRange(
  read: Kysely<Tables>,
  {
    since,
    until,
    recordedWithinMs = recordedWithinMsDefault,
  }: Pick<AttemptQuery, 'since' | 'until' | 'recordedWithinMs'>,
): Promise<AttemptRange> {
  return {
    from: since === undefined ? null : await firstFrom(read, since - recordedWithinMs),
    to: until === undefined ? null : await firstFrom(read, until + recordedWithinMs),
  };
}

/** A row at or after this time whose predecessor is before it; past the last one when all are before. */
async function firstFrom(read: Kysely<Tables>, time: number): Promise<number> {
  // Each by itself: asked for both at once, SQLite looks at every row.
  const end = (order: 'asc' | 'desc') =>
    read.selectFrom('attempts').select('id').orderBy('id', order).limit(1).executeTakeFirst();
  let low = (await end('asc'))?.id ?? 0;
  let high = ((await end('desc'))?.id ?? -1) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = await read
      .selectFrom('attempts')
      .select(['id', 'started_at'])
      .where('id', '>=', middle)
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    if (row === undefined || row.started_at >= time) high = middle;
    else low = row.id + 1;
  }
  return low;
}
