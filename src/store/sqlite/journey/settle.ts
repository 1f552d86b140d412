import type { Database } from 'better-sqlite3';
import type { AttemptFacts, Settlement, TestRecord } from '../../../core/ports/journey-store.ts';
import type { AttemptRecord } from '../../../core/ports/record-store.ts';
import { afterAttempt, type HealthLimits } from '../../../core/rules/health.ts';
import { type HealthColumns, healthColumns, healthOf } from '../../health-columns.ts';
import { outlastWideEvents } from '../../outlast.ts';
import { deliveryState, endpointStatus, errorCode } from '../../tables.ts';
import type { Marks } from './marks.ts';
import type { TypeNames } from './type-names.ts';

/** What an attempt row needs beside the facts. */
export interface AttemptRow {
  workspaceId: number;
  endpointId: number;
  endpointVersion: number;
  deliveryId: number;
  typeId: number;
  attempt: number;
  nextAttemptAt: number | null;
  isTest: boolean;
}

/** Writes one row of the delivery log, with the excerpt beside it. Answers its id. */
export function makeWriteAttempt(db: Database): (row: AttemptRow, facts: AttemptFacts) => number {
  const insert = db.prepare(
    `insert into attempts (workspace_id, endpoint_id, delivery_id, type_id, attempt, endpoint_version, error, response_code,
       duration_ms, started_at, next_attempt_at, is_test) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertExcerpt = db.prepare('insert into attempt_excerpts (attempt_id, body) values (?, ?)');
  return (row, facts) => {
    const { lastInsertRowid } = insert.run(
      row.workspaceId,
      row.endpointId,
      row.deliveryId,
      row.typeId,
      row.attempt,
      row.endpointVersion,
      errorCode(facts.error),
      facts.responseCode,
      facts.durationMs,
      facts.startedAt,
      row.nextAttemptAt,
      row.isTest ? 1 : 0,
    );
    if (facts.excerpt !== null && facts.excerpt.length > 0) insertExcerpt.run(lastInsertRowid, facts.excerpt);
    return Number(lastInsertRowid);
  };
}

type WriteAttempt = ReturnType<typeof makeWriteAttempt>;

/** Records attempts with what they made of their deliveries and endpoints. */
export function makeSettle(db: Database, types: TypeNames, marks: Marks, write: WriteAttempt, limits: HealthLimits) {
  // The fence: a worker that lost its lease finds no row here, and nothing of its attempt is recorded. Nor does a settle that is
  // repeated because its answer was lost, when the same worker has leased the delivery again by then.
  const settleDelivery = db.prepare(
    `update deliveries set state = ?, due_at = coalesce(?, max(due_at, ?)), attempts = attempts + 1, steps = steps + 1, last_error = ?, worker_id = null
     where id = ? and worker_id = ? and state = ${deliveryState.leased} and attempts = ?`,
  );
  const health = db.prepare<[number], HealthColumns>(
    `select status, failure_count, failing_since, last_delivered_at, last_attempt_at, last_error, last_response_code,
       held_until, disabled_reason, disabled_at from endpoints where id = ?`,
  );
  const writeHealth = db.prepare(
    `update endpoints set status = @status, failure_count = @failure_count, failing_since = @failing_since,
       last_delivered_at = @last_delivered_at, last_attempt_at = @last_attempt_at, last_error = @last_error,
       last_response_code = @last_response_code, held_until = @held_until, disabled_reason = @disabled_reason,
       disabled_at = @disabled_at,
       next_due_at = case when next_due_at is null then null else max(next_due_at, coalesce(@held_until, 0)) end
     where id = @id`,
  );
  const bumpVersion = db.prepare('update workspaces set version = version + 1 where id = ?');
  const outlast = db.prepare(outlastWideEvents('id = ?'));

  function settleOne(workerId: number, settlement: Settlement, deleted: boolean): boolean {
    const { next, attempt } = settlement;
    // What a deleted endpoint is still owed when its last attempt fails is owed no longer.
    const state = next.state === 'pending' && deleted ? 'canceled' : next.state;
    const dueAt = state === 'pending' && next.state === 'pending' ? next.dueAt : null;
    const { changes } = settleDelivery.run(
      deliveryState[state],
      dueAt,
      attempt.startedAt,
      errorCode(attempt.error),
      settlement.deliveryId,
      workerId,
      settlement.attemptNumber - 1,
    );
    if (changes === 0) return false;
    const { workspaceId, endpointId, endpointVersion, deliveryId, attemptNumber } = settlement;
    const typeId = types.idOf(settlement.eventType);
    write(
      {
        workspaceId,
        endpointId,
        endpointVersion,
        deliveryId,
        typeId,
        attempt: attemptNumber,
        nextAttemptAt: dueAt,
        isTest: false,
      },
      attempt,
    );
    if (dueAt === null) marks.owe(endpointId, -1);
    else marks.due(endpointId, dueAt);
    return true;
  }

  function settleEndpoint(workerId: number, endpointId: number, group: [number, Settlement][], held: boolean[]): void {
    const row = health.get(endpointId);
    const deleted = row === undefined || row.status === endpointStatus.deleted;
    let now = row === undefined || deleted ? null : healthOf(row);
    for (const [index, settlement] of group) {
      const holds = settleOne(workerId, settlement, deleted);
      held[index] = holds;
      if (holds && now !== null) now = afterAttempt(now, settlement.health, limits);
    }
    if (now === null || row === undefined) return;
    const columns = healthColumns(now);
    writeHealth.run({ id: endpointId, ...columns });
    const workspaceId = group[0]?.[1].workspaceId;
    if (columns.status !== row.status && workspaceId !== undefined) {
      bumpVersion.run(workspaceId);
      outlast.run(endpointId);
    }
  }

  return (workerId: number, settlements: Settlement[]): boolean[] => {
    const held: boolean[] = settlements.map(() => false);
    const byEndpoint = Map.groupBy(settlements.entries(), ([, settlement]) => settlement.endpointId);
    for (const [endpointId, group] of byEndpoint) settleEndpoint(workerId, endpointId, group, held);
    return held;
  };
}

/** Stores a test: its event, its delivery, its attempt. No counter of the endpoint changes. */
export function makeRecordTest(db: Database, types: TypeNames, marks: Marks, write: WriteAttempt) {
  const insertEvent = db.prepare(
    `insert into events (workspace_id, public_id, type_id, data, occurred_at, created_at, deliveries_count, is_test)
     values (?, ?, ?, ?, ?, ?, 1, 1)`,
  );
  const insertDelivery = db.prepare(
    `insert into deliveries (workspace_id, event_id, endpoint_id, state, due_at, attempts, steps, interruptions, last_error, created_at)
     values (?, ?, ?, ?, ?, 1, 1, 0, ?, ?)`,
  );
  const free = db.prepare('update endpoints set held_until = null where id = ? and held_until is not null');
  const endpoint = db.prepare<[number], { public_id: string; url: string }>(
    'select public_id, url from endpoints where id = ?',
  );
  return (test: TestRecord): AttemptRecord => {
    const { workspaceId, endpointId, endpointVersion, attempt } = test;
    const at = attempt.startedAt;
    const typeId = types.idOf(test.type);
    const eventId = insertEvent.run(workspaceId, test.eventPublicId, typeId, test.data, at, at).lastInsertRowid;
    const state = attempt.error === null ? deliveryState.succeeded : deliveryState.failed;
    const deliveryId = Number(
      insertDelivery.run(workspaceId, eventId, endpointId, state, at, errorCode(attempt.error), at).lastInsertRowid,
    );
    const row = {
      workspaceId,
      endpointId,
      endpointVersion,
      deliveryId,
      typeId,
      attempt: 1,
      nextAttemptAt: null,
      isTest: true,
    };
    const id = write(row, attempt);
    if (test.freesHold && free.run(endpointId).changes > 0) marks.due(endpointId, at);
    const { public_id, url } = endpoint.get(endpointId) as { public_id: string; url: string };
    return {
      id,
      deliveryId,
      eventPublicId: test.eventPublicId,
      eventType: test.type,
      endpointPublicId: public_id,
      url,
      attempt: 1,
      responseCode: attempt.responseCode,
      durationMs: attempt.durationMs,
      error: attempt.error,
      isTest: true,
      startedAt: at,
      nextAttemptAt: null,
      excerpt: attempt.excerpt,
    };
  };
}
