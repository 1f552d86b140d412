import { type Kysely, sql } from 'kysely';
import type { AttemptQuery } from '../../core/ports/record-store.ts';
import type { Tables } from '../tables.ts';

const recordedWithinMsDefault = 60_000;

/** Ids of attempts, from one to below another; null where nothing bounds them. */
export interface AttemptRange {
  from: number | null;
  to: number | null;
}

/**
 * Between which ids the attempts of a time are to be looked for. The log is in the order in which attempts were recorded,
 * which is nearly that of their times: so the place is found by halving, where an index by time
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

/** An id from which on no row is before this time, but for those that stand out of order; 0 when there are none. */
async function firstFrom(read: Kysely<Tables>, time: number): Promise<number> {
  const isBefore = sql`(select started_at from attempts where id >= (low + high) / 2 order by id limit 1) < ${time}`;
  const { rows } = await sql<{ id: number }>`
    with recursive halving (low, high) as (
      select (select min(id) from attempts), (select max(id) from attempts) + 1
      union all
      select case when ${isBefore} then (low + high) / 2 + 1 else low end,
        case when ${isBefore} then high else (low + high) / 2 end
      from halving where low < high
    )
    select low as id from halving where low >= high`.execute(read);
  return rows[0]?.id ?? 0;
}
