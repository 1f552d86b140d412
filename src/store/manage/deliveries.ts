import { type Kysely, sql } from 'kysely';
import type { AuditFacts } from '../../core/ports/audit-store.ts';
import type { DeliveryStore, ReplayOutcome, ReplayStep, RetryOutcome } from '../../core/ports/delivery-store.ts';
import { rowId } from '../../core/rules/ids.ts';
import { iso } from '../../core/rules/times.ts';
import type { Changed, ChangeAccess } from '../access.ts';
import { deliveryState, deliveryStatusOf, endpointStatus, type Tables } from '../tables.ts';
import { overwriting } from '../erasing.ts';
import { updatedAt } from './endpoint-rows.ts';
import { keepEvents, lockEndpoints } from './lock.ts';

/** Clocks of several processes may differ by this much, so that rows are not quite in the order of their times. */
const skewMs = 60_000;

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

async function replay(trx: Kysely<Tables>, workspaceId: number, step: ReplayStep): Promise<Changed<ReplayOutcome>> {
  await lockEndpoints(trx, [step.endpointId]);
  const endpoint = await trx
    .selectFrom('endpoints')
    .select('public_id')
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', step.endpointId)
    .where('status', '!=', endpointStatus.deleted)
    .executeTakeFirst();
  if (endpoint === undefined) return { answer: { queued: 0, lastEventId: null, nextAt: null }, audit: null };
  const rows = await candidates(trx, workspaceId, step);
  const looked = rows.slice(0, step.countMax);
  const taken = looked.filter(({ data = null, ...event }) => step.takes?.({ ...event, data }) ?? true);
  const absent = taken.filter(({ delivery_id }) => step.missed && delivery_id === null).map(({ id }) => id);
  const missed = await keepEvents(trx, absent);
  const again = taken.filter(({ state }) => isWanted(state, step)).map(({ delivery_id }) => delivery_id ?? 0);
  const queued = (await owe(trx, workspaceId, step, missed)) + (await makeDue(trx, again, step.now));
  if (queued > 0) {
    await trx
      .updateTable('endpoints')
      .set({
        pending_count: sql`pending_count + ${queued}`,
        // Marked as due before its hold ends, every worker would look at it again and again until then.
        next_due_at: sql`case when held_until > ${step.now} then held_until else cast(${step.now} as bigint) end`,
      })
      .where('id', '=', step.endpointId)
      .execute();
  }
  const next = rows[step.countMax];
  return {
    answer: {
      queued,
      lastEventId: next === undefined ? null : (looked.at(-1)?.id ?? null),
      nextAt: next?.created_at ?? null,
    },
    audit: queued === 0 ? null : { workspaceId, target: endpoint.public_id, before: null, after: replayed(step) },
  };
}

/** Answers how many of them the endpoint was not owed yet. */
async function owe(trx: Kysely<Tables>, workspaceId: number, step: ReplayStep, eventIds: number[]): Promise<number> {
  if (eventIds.length === 0) return 0;
  const fresh = {
    workspace_id: workspaceId,
    endpoint_id: step.endpointId,
    state: deliveryState.pending,
    due_at: step.now,
  };
  const counts = { attempts: 0, steps: 0, interruptions: 0, created_at: step.now };
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('deliveries')
    .values(eventIds.map((id) => ({ event_id: id, ...fresh, ...counts })))
    .onConflict((conflict) => conflict.columns(['event_id', 'endpoint_id']).doNothing())
    .executeTakeFirstOrThrow();
  return Number(numInsertedOrUpdatedRows ?? 0n);
}

/** Answers how many of them are still there: finished ones are pruned past the lock of their endpoint. */
async function makeDue(trx: Kysely<Tables>, ids: number[], now: number): Promise<number> {
  if (ids.length === 0) return 0;
  const { numUpdatedRows } = await trx
    .updateTable('deliveries')
    .set({ state: deliveryState.pending, due_at: now, steps: 0, interruptions: 0 })
    .where('id', 'in', ids)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** What was asked for. How many come of it later steps decide, which belong to the same row. */
function replayed({ since, until, failed, missed, succeeded }: ReplayStep): AuditFacts {
  return { since: iso(since), until: iso(until), failed, missed, succeeded };
}

/** Events of the types that it chose, whether they are owed to it or not, and one more than are looked at. */
function candidates(trx: Kysely<Tables>, workspaceId: number, step: ReplayStep) {
  return trx
    .selectFrom('events')
    .innerJoin('type_names', 'type_names.id', 'events.type_id')
    .leftJoin('deliveries', (join) =>
      join.onRef('deliveries.event_id', '=', 'events.id').on('deliveries.endpoint_id', '=', step.endpointId),
    )
    .select(['events.id', 'events.created_at', 'deliveries.id as delivery_id', 'deliveries.state'])
    .select(['events.public_id as publicId', 'type_names.name as type', 'events.occurred_at as occurredAt'])
    .$if(step.takes !== undefined, (query) => query.select('events.data'))
    .where('events.workspace_id', '=', workspaceId)
    .where('events.id', '>', step.afterEventId)
    .where('events.created_at', '>=', step.since)
    .where('events.created_at', '<', step.until)
    .where('events.is_test', '=', 0)
    .where('events.data', 'is not', null)
    .where('type_names.name', 'in', step.types)
    .orderBy('events.id')
    .limit(step.countMax + 1)
    .execute();
}

function isWanted(state: number | null, step: ReplayStep): boolean {
  return (step.failed && state === deliveryState.failed) || (step.succeeded && state === deliveryState.succeeded);
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
  const ids = rows.map(({ endpoint_id }) => endpoint_id).toSorted((a, b) => a - b);
  for (const id of ids) {
    await trx
      .updateTable('endpoints')
      .set({ pending_count: sql`pending_count - 1`, updated_at: updatedAt(now) })
      .where('id', '=', id)
      .execute();
  }
}
