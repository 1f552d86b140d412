import type { Settlement } from '../../../core/ports/journey-store.ts';
import { afterAttempt, type HealthLimits } from '../../../core/rules/health.ts';
import { type HealthColumns, healthColumns, healthOf } from '../../health-columns.ts';
import { deliveryState, endpointStatus, errorCode } from '../../tables.ts';
import type { RunTransaction, Transaction } from '../transaction.ts';
import { attemptColumns } from './attempts.ts';
import { writeHealth } from './health.ts';
import type { TypeIds } from './type-ids.ts';

/** One attempt of the group, with the worker that made it. */
interface Made {
  workerId: number;
  settlement: Settlement;
}
type EndpointRow = HealthColumns & { id: number; workspace_id: number };

const lockHealth = `
  select id, workspace_id, status, failure_count, failing_since, last_delivered_at, last_attempt_at, last_error,
    last_response_code, held_until, disabled_reason, disabled_at
  from endpoints where id = any($1) order by id for no key update`;

// The fence: a worker that lost its lease finds no row here, and nothing of its attempt is recorded. Nor does a settle that
// is repeated because its answer was lost, when the same worker has leased the delivery again by then. What the log needs
// goes along with the rows: joined again by their ids they cost a hundred times as much, because the planner takes a
// thousand updated rows for one.
const record = `
  with held as (
    update deliveries d set state = s.state, due_at = coalesce(s.due_at, greatest(d.due_at, s.started_at)), attempts = d.attempts + 1,
      steps = d.steps + 1, last_error = s.error, worker_id = null
    from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
      $8::int[], $9::int[], $10::smallint[], $11::int[], $12::int[], $13::bigint[], $14::bytea[]) with ordinality
      as s (delivery_id, worker_id, state, due_at, workspace_id, endpoint_id, type_id, attempt, endpoint_version, error,
        response_code, duration_ms, started_at, excerpt, place)
    where d.id = s.delivery_id and d.worker_id = s.worker_id and d.state = ${deliveryState.leased} and d.attempts = s.attempt - 1
    returning s.*
  ), numbered as (
    select nextval('attempts_id_seq') as id, h.* from (select * from held order by place) h
  ), logged as (
    insert into attempts (id, ${attemptColumns})
    select id, workspace_id, endpoint_id, delivery_id, type_id, attempt, endpoint_version, error, response_code, duration_ms,
      started_at, due_at, 0
    from numbered
  ), kept as (
    insert into attempt_excerpts (attempt_id, body) select id, excerpt from numbered where excerpt is not null
  )
  select delivery_id, worker_id, attempt from numbered`;

/** Records the attempts of one group in one transaction. Answers false for those whose lease was no longer held. */
export async function settle(
  run: RunTransaction,
  types: TypeIds,
  limits: HealthLimits,
  made: Made[],
): Promise<boolean[]> {
  await types.ensure(made.map(({ settlement }) => settlement.eventType));
  return run(async (trx) => {
    const ids = [...new Set(made.map(({ settlement }) => settlement.endpointId))];
    // What stands in the rows is read under their locks, so that no failure is counted over by another process.
    const rows = await trx.query<EndpointRow>(lockHealth, [ids]);
    const endpoints = new Map(rows.map((row) => [row.id, row]));
    const held = await recordAttempts(trx, types, endpoints, made);
    await settleEndpoints(trx, limits, rows, held);
    return made.map((one) => held.has(one));
  });
}

/** Answers those whose lease was held. */
async function recordAttempts(
  trx: Transaction,
  types: TypeIds,
  endpoints: Map<number, EndpointRow>,
  made: Made[],
): Promise<Set<Made>> {
  // A lease is settled once: whoever settles it twice finds it gone the second time.
  const seen = new Set<string>();
  const firsts = made.filter(({ settlement, workerId }) => {
    const lease = leaseOf(settlement.deliveryId, workerId, settlement.attemptNumber);
    return !seen.has(lease) && seen.add(lease);
  });
  const all = firsts.map(({ settlement }) => settlement);
  const outcomes = all.map((settlement) => outcomeOf(settlement, endpoints.get(settlement.endpointId)));
  const found = await trx.query<{ delivery_id: number; worker_id: number; attempt: number }>(record, [
    all.map(({ deliveryId }) => deliveryId),
    firsts.map(({ workerId }) => workerId),
    outcomes.map(({ state }) => state),
    outcomes.map(({ dueAt }) => dueAt),
    all.map(({ workspaceId }) => workspaceId),
    all.map(({ endpointId }) => endpointId),
    all.map(({ eventType }) => types.of(eventType)),
    all.map(({ attemptNumber }) => attemptNumber),
    all.map(({ endpointVersion }) => endpointVersion),
    all.map(({ attempt }) => errorCode(attempt.error)),
    all.map(({ attempt }) => attempt.responseCode),
    all.map(({ attempt }) => attempt.durationMs),
    all.map(({ attempt }) => attempt.startedAt),
    all.map(({ attempt }) => (attempt.excerpt === null || attempt.excerpt.length === 0 ? null : attempt.excerpt)),
  ]);
  const held = new Set(found.map((row) => leaseOf(row.delivery_id, row.worker_id, row.attempt)));
  return new Set(
    firsts.filter(({ settlement, workerId }) =>
      held.has(leaseOf(settlement.deliveryId, workerId, settlement.attemptNumber)),
    ),
  );
}

function leaseOf(deliveryId: number, workerId: number, attemptNumber: number): string {
  return `${deliveryId}/${workerId}/${attemptNumber}`;
}

/** What a deleted endpoint is still owed when its last attempt fails is owed no longer. */
function outcomeOf({ next }: Settlement, endpoint: EndpointRow | undefined): { state: number; dueAt: number | null } {
  if (next.state !== 'pending') return { state: deliveryState[next.state], dueAt: null };
  const deleted = endpoint === undefined || endpoint.status === endpointStatus.deleted;
  return deleted ? { state: deliveryState.canceled, dueAt: null } : { state: deliveryState.pending, dueAt: next.dueAt };
}

async function settleEndpoints(
  trx: Transaction,
  limits: HealthLimits,
  rows: EndpointRow[],
  held: Set<Made>,
): Promise<void> {
  const byEndpoint = Map.groupBy(
    [...held].map(({ settlement }) => settlement),
    ({ endpointId }) => endpointId,
  );
  const settled = rows.flatMap((row) => {
    const group = byEndpoint.get(row.id);
    if (group === undefined) return [];
    const again = group.flatMap((settlement) => outcomeOf(settlement, row).dueAt ?? []);
    const dueAt = again.length === 0 ? null : Math.min(...again);
    return [{ before: row, after: healthAfter(row, group, limits), owed: again.length - group.length, dueAt }];
  });
  await writeHealth(trx, settled);
}

function healthAfter(row: EndpointRow, group: Settlement[], limits: HealthLimits): HealthColumns {
  if (row.status === endpointStatus.deleted) return row;
  return healthColumns(
    group.reduce((health, settlement) => afterAttempt(health, settlement.health, limits), healthOf(row)),
  );
}
