import { type Kysely, sql } from 'kysely';
import { newestAttempt } from '../manage/overview.ts';
import type { Tables } from '../tables.ts';

/**
 * Up to which id every attempt is committed or will never be. Ids are given before they are committed, by transactions that
 * have written already and so have an id of their own. What was the newest attempt at an earlier look is therefore certain
 * once every transaction of that time has ended. Locking the table for a moment instead would make deliveries wait for it.
 */
export async function certainAttempt(trx: Kysely<Tables>): Promise<number> {
  const row = await trx
    .selectFrom('statistics_position')
    .select([
      'attempt_id',
      'upcoming_id',
      sql<boolean>`coalesce(upcoming_xid::xid8 <= pg_snapshot_xmin(pg_current_snapshot()), false)`.as('certain'),
      sql<boolean>`upcoming_xid is null`.as('unset'),
      sql<string>`pg_snapshot_xmax(pg_current_snapshot())::text`.as('xmax'),
    ])
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (!row.certain && !row.unset) return row.attempt_id;
  // The rest of the certain part comes first; a new look is taken once it is used up.
  if (row.certain && row.upcoming_id > row.attempt_id) return row.upcoming_id;
  const newest = await newestAttempt(trx);
  await trx.updateTable('statistics_position').set({ upcoming_id: newest, upcoming_xid: row.xmax }).execute();
  return row.attempt_id;
}
