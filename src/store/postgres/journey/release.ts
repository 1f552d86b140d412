import { deliveryState, endpointStatus } from '../../tables.ts';
import type { Transaction } from '../transaction.ts';
import { applyMarks, lockEndpoints } from './marks.ts';

const makePending = `
  with released as (
    update deliveries d set worker_id = null, due_at = greatest(d.due_at, $3),
      state = case when e.status = ${endpointStatus.deleted} then ${deliveryState.canceled} else ${deliveryState.pending} end
    from endpoints e
    where d.id = any($1) and d.worker_id = $2 and d.state = ${deliveryState.leased} and e.id = d.endpoint_id
    returning d.endpoint_id, d.state, d.due_at
  ), marks as (
    select endpoint_id, -count(*) filter (where state = ${deliveryState.canceled})::int as owed,
      min(due_at) filter (where state = ${deliveryState.pending}) as due_at
    from released group by endpoint_id
  )
  ${applyMarks}`;

/** Makes leases pending again without an attempt, not before `dueAt`; canceled where the endpoint was deleted. */
export async function release(trx: Transaction, workerId: number, deliveryIds: number[], dueAt: number): Promise<void> {
  const held = await trx.query<{ endpoint_id: number }>(
    `select distinct endpoint_id from deliveries where id = any($1) and worker_id = $2 and state = ${deliveryState.leased}`,
    [deliveryIds, workerId],
  );
  if (held.length === 0) return;
  await lockEndpoints(
    trx,
    held.map((row) => row.endpoint_id),
  );
  await trx.query(makePending, [deliveryIds, workerId, dueAt]);
  trx.wakesOthers = true;
}
