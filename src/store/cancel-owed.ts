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

/** Goes on where a process died in the middle of a deletion. Answers whether there may be more. */
export async function cancelForgotten({ read, write }: Access): Promise<boolean> {
  const row = await read
    .selectFrom('endpoints')
    .select(['id', 'workspace_id'])
    .where('status', '=', sql.lit(endpointStatus.deleted))
    .where('pending_count', '>', sql.lit(0))
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return false;
  return write((trx) => cancelOwed(trx, row.workspace_id, row.id));
}
