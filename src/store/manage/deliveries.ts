import { type Kysely, sql } from 'kysely';
import type { DeliveryStore, RetryOutcome } from '../../core/ports/delivery-store.ts';
import { rowId } from '../../core/rules/ids.ts';
import type { Changed, ChangeAccess } from '../access.ts';
import { deliveryState, deliveryStatusOf, endpointStatus, type Tables } from '../tables.ts';
import { overwriting } from '../erasing.ts';
import { updatedAt } from './endpoint-rows.ts';
import { skewMs } from './event-stretch.ts';
import { lockEndpoints } from './lock.ts';
import { replay } from './replay.ts';

/** Bounds the parameters of a statement. */
const endpointsAtOnce = 1_000;

export function deliveryStore({ read, change, room }: ChangeAccess): DeliveryStore {
  return {
    retry: (workspaceId, id, now) => change((trx) => retry(trx, workspaceId, id, now)),

    async replay(workspaceId, step) {
      await room?.();
      return change((trx) => replay(trx, workspaceId, step));
    },

    /** Rows are in the order of their times, so that a binary search finds the place without an index. */
    async eventBefore(time) {
      const { last } = await read
        .selectFrom('events')
        .select(({ fn }) => fn.max('id').as('last'))
        .executeTakeFirstOrThrow();
      let low = 0;
      let high = last ?? 0;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        const row = await read
          .selectFrom('events')
          .select('created_at')
          .where('id', '>=', middle)
          .orderBy('id')
          .limit(1)
          .executeTakeFirst();
        if (row === undefined || row.created_at >= time - skewMs) high = middle - 1;
        else low = middle;
      }
      return low;
    },

    erase: (workspaceId, eventPublicId, now) =>
      change(async (trx) => {
        const row = await trx
          .selectFrom('events')
          .innerJoin('type_names', 'type_names.id', 'events.type_id')
          .select([
            'events.id',
            'events.public_id as publicId',
            'events.data',
            'type_names.name as type',
            'events.occurred_at as occurredAt',
            'events.created_at as createdAt',
            'events.deliveries_count as deliveriesCount',
          ])
          .where('events.workspace_id', '=', workspaceId)
          .where('events.public_id', '=', eventPublicId)
          .executeTakeFirst();
        if (row === undefined) return { answer: null, audit: null };
        const audit =
          row.data === null
            ? null
            : { workspaceId, target: eventPublicId, before: { erased: false }, after: { erased: true } };
        await overwriting(trx, () =>
          trx.updateTable('events').set({ data: null, fanned_out_after: null }).where('id', '=', row.id).execute(),
        );
        await cancelPending(trx, row.id, now);
        return { answer: { ...row, data: null }, audit };
      }),
  };
}

async function retry(
  trx: Kysely<Tables>,
  workspaceId: number,
  id: number,
  now: number,
): Promise<Changed<RetryOutcome>> {
  const unchanged = (answer: RetryOutcome) => ({ answer, audit: null });
  await lockEndpoints(trx, await endpointsOf(trx, 'id', id));
  const row = await trx
    .selectFrom('deliveries')
    .innerJoin('events', 'events.id', 'deliveries.event_id')
    .innerJoin('endpoints', 'endpoints.id', 'deliveries.endpoint_id')
    .select(['deliveries.state', 'deliveries.endpoint_id', 'events.is_test', 'events.data', 'endpoints.status'])
    .where('deliveries.workspace_id', '=', workspaceId)
    .where('deliveries.id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return unchanged('not_found');
  if (row.is_test === 1) return unchanged('test');
  if (row.data === null) return unchanged('erased');
  if (row.state === deliveryState.canceled) return unchanged('canceled');
  if (row.status !== endpointStatus.active) return unchanged('not_active');
  if (row.state === deliveryState.leased) return unchanged('in_flight');
  const { numUpdatedRows } = await trx
    .updateTable('deliveries')
    .set({ state: deliveryState.pending, due_at: now })
    .where('id', '=', id)
    // On PostgreSQL another process may have leased it since it was read.
    .where('state', '=', row.state)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return unchanged('in_flight');
  await trx
    .updateTable('endpoints')
    .set({
      held_until: null,
      next_due_at: now,
      pending_count: sql`pending_count + ${row.state === deliveryState.pending ? 0 : 1}`,
    })
    .where('id', '=', row.endpoint_id)
    .execute();
  const target = rowId('dlv', id);
  const before = { status: deliveryStatusOf(row.state) };
  return { answer: 'queued', audit: { workspaceId, target, before, after: { status: 'pending' } } };
}

/** The endpoints of one delivery, or of all that one event is owed to. */
async function endpointsOf(trx: Kysely<Tables>, column: 'id' | 'event_id', id: number): Promise<number[]> {
  const rows = await trx.selectFrom('deliveries').select('endpoint_id').where(column, '=', id).execute();
  return rows.map(({ endpoint_id }) => endpoint_id);
}

async function cancelPending(trx: Kysely<Tables>, eventId: number, now: number): Promise<void> {
  await lockEndpoints(trx, await endpointsOf(trx, 'event_id', eventId));
  const rows = await trx
    .updateTable('deliveries')
    .set({ state: deliveryState.canceled })
    .where('event_id', '=', eventId)
    .where('state', '=', deliveryState.pending)
    .returning('endpoint_id')
    .execute();
  // Many at a time: of a wide event it is owed to thousands, and each statement has to cross to SQLite's writer and back.
  for (let from = 0; from < rows.length; from += endpointsAtOnce) {
    const ids = rows.slice(from, from + endpointsAtOnce).map(({ endpoint_id }) => endpoint_id);
    await trx
      .updateTable('endpoints')
      .set({ pending_count: sql`pending_count - 1`, updated_at: updatedAt(now) })
      .where('id', 'in', ids)
      .execute();
  }
}
