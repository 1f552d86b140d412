import { type Kysely, sql } from 'kysely';
import type { AuditFacts } from '../../core/ports/audit-store.ts';
import type { ReplayOutcome, ReplayStep } from '../../core/ports/delivery-store.ts';
import { iso } from '../../core/rules/times.ts';
import type { Changed } from '../access.ts';
import { deliveryState, endpointStatus, type Tables } from '../tables.ts';
import { isFannedOutTo } from '../to-fan-out.ts';
import { endOfStretch, skewMs } from './event-stretch.ts';
import { keepEvents, lockEndpoints } from './lock.ts';

/** One step of a replay: as many events as it queues at most, and a stretch of those that it does not want. */
export async function replay(
  trx: Kysely<Tables>,
  workspaceId: number,
  step: ReplayStep,
  stretch?: number,
): Promise<Changed<ReplayOutcome>> {
  await lockEndpoints(trx, [step.endpointId]);
  const endpoint = await trx
    .selectFrom('endpoints')
    .select('public_id')
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', step.endpointId)
    .where('status', '!=', endpointStatus.deleted)
    .executeTakeFirst();
  if (endpoint === undefined) return { answer: { queued: 0, lastEventId: null, nextAt: null }, audit: null };
  const end = await endOfStretch(trx, workspaceId, step.afterEventId, stretch);
  const rows = await candidates(trx, workspaceId, step, end?.id ?? null);
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
  return {
    answer: { queued, ...goOn(step, rows, end) },
    audit: queued === 0 ? null : { workspaceId, target: endpoint.public_id, before: null, after: replayed(step) },
  };
}

type Row = Awaited<ReturnType<typeof candidates>>[number];

/** Where the next step begins: behind the last that was looked at, or with the end of the stretch. */
function goOn(
  { countMax, until }: ReplayStep,
  rows: Row[],
  end: { id: number; created_at: number } | null,
): Pick<ReplayOutcome, 'lastEventId' | 'nextAt'> {
  const next = rows[countMax];
  if (next !== undefined) return { lastEventId: rows[countMax - 1]?.id ?? null, nextAt: next.created_at };
  const isLast = end === null || end.created_at >= until + skewMs;
  return isLast ? { lastEventId: null, nextAt: null } : { lastEventId: end.id - 1, nextAt: end.created_at };
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
function candidates(trx: Kysely<Tables>, workspaceId: number, step: ReplayStep, before: number | null) {
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
    .$if(before !== null, (query) => query.where('events.id', '<', before ?? 0))
    .where('events.created_at', '>=', step.since)
    .where('events.created_at', '<', step.until)
    .where('events.is_test', '=', 0)
    .where(isFannedOutTo(step.endpointId))
    .where('events.data', 'is not', null)
    .where('type_names.name', 'in', step.types)
    .orderBy('events.id')
    .limit(step.countMax + 1)
    .execute();
}

function isWanted(state: number | null, step: ReplayStep): boolean {
  return (step.failed && state === deliveryState.failed) || (step.succeeded && state === deliveryState.succeeded);
}
