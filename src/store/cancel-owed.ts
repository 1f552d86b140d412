import { type Kysely, sql } from 'kysely';
import type { Access } from './access.ts';
import { lockEndpoints } from './manage/lock.ts';
import { deliveryState, endpointStatus, type Tables } from './tables.ts';

/** Canceling a deleted endpoint's deliveries holds the writer for no longer than these take. */
const rowsMax = 1_000;

/** Cancels one step of what a deleted endpoint is owed. Answers whether there may be more. */
export async function cancelOwed(trx: Kysely<Tables>, workspaceId: number, endpointId: number): Promise<boolean> {
  await lockEndpoints(trx, [endpointId]);
  const rows = await trx
    .selectFrom('deliveries')
    .select('id')
    .where('workspace_id', '=', workspaceId)
    .where('endpoint_id', '=', endpointId)
    .where('state', '=', sql.lit(deliveryState.pending))
    .limit(rowsMax)
    .execute();
  if (rows.length === 0) return false;
  const ids = rows.map(({ id }) => id);
  await trx.updateTable('deliveries').set({ state: deliveryState.canceled }).where('id', 'in', ids).execute();
  await trx
    .updateTable('endpoints')
    .set({ pending_count: sql`pending_count - ${ids.length}` })
    .where('id', '=', endpointId)
    .execute();
  return ids.length === rowsMax;
}

/**
 * Goes on where a process died in the middle of a deletion, with the first such endpoint behind this one. Answers behind
 * which one there may be more; null when there is none.
 */
export async function cancelForgotten({ read, write }: Access, afterEndpointId: number): Promise<number | null> {
  const row = await read
    .selectFrom('endpoints')
    .select(['id', 'workspace_id'])
    .where('status', '=', sql.lit(endpointStatus.deleted))
    .where('pending_count', '>', sql.lit(0))
    .where('id', '>', afterEndpointId)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return null;
  return write(async (trx) => {
    if (await cancelOwed(trx, row.workspace_id, row.id)) return afterEndpointId;
    await countLeased(trx, row.id);
    return row.id;
  });
}

/** Nothing is pending any more: were the count left at something else, the endpoint would be looked at for ever. */
async function countLeased(trx: Kysely<Tables>, endpointId: number): Promise<void> {
  const leased = sql<number>`(select count(*) from deliveries
    where state = ${sql.lit(deliveryState.leased)} and endpoint_id = ${endpointId})`;
  await trx.updateTable('endpoints').set({ pending_count: leased }).where('id', '=', endpointId).execute();
}
