import type { Kysely } from 'kysely';
import type { Tables } from '../tables.ts';

/** Clocks of several processes may differ by this much, so that rows are not quite in the order of their times. */
export const skewMs = 60_000;
/** Events that are looked at in one go: SQLite reads on the main thread, or holds its writer meanwhile. */
const stretchEvents = 2_000;

/** The first event of a workspace that is no longer of the stretch behind `after`; null where all that follow are. */
export async function endOfStretch(
  db: Kysely<Tables>,
  workspaceId: number,
  after: number,
  count = stretchEvents,
): Promise<{ id: number; created_at: number } | null> {
  const row = await db
    .selectFrom('events')
    .select(['id', 'created_at'])
    .where('workspace_id', '=', workspaceId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(1)
    .offset(count)
    .executeTakeFirst();
  return row ?? null;
}
