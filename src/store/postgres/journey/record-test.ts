import type { TestRecord } from '../../../core/ports/journey-store.ts';
import type { AttemptRecord } from '../../../core/ports/record-store.ts';
import { deliveryState, errorCode } from '../../tables.ts';
import type { RunTransaction } from '../transaction.ts';
import { attemptColumns } from './attempts.ts';
import type { TypeIds } from './type-ids.ts';

const insert = `
  with event as (
    insert into events (workspace_id, public_id, type_id, data, occurred_at, created_at, deliveries_count, is_test)
    values ($1, $2, $3, $4, $5, $5, 1, 1) returning id
  ), delivery as (
    insert into deliveries (workspace_id, event_id, endpoint_id, state, due_at, attempts, steps, interruptions, last_error, created_at)
    select $1, event.id, $6, $7, $5, 1, 1, 0, $9, $5 from event returning id
  ), attempt as (
    insert into attempts (${attemptColumns})
    select $1, $6, delivery.id, $3, 1, $8, $9, $10, $11, $5, null, 1 from delivery returning id
  ), kept as (
    insert into attempt_excerpts (attempt_id, body) select id, $12::bytea from attempt where $12::bytea is not null
  )
  select delivery.id as delivery_id, attempt.id as attempt_id from delivery, attempt`;

const freeHold = `
  update endpoints set held_until = null, next_due_at = least(next_due_at, $2) where id = $1 and held_until is not null returning id`;

/** Stores a test: its event, its delivery, its attempt. No counter of the endpoint changes. */
export async function recordTest(run: RunTransaction, types: TypeIds, test: TestRecord): Promise<AttemptRecord> {
  const { workspaceId, endpointId, eventPublicId, attempt } = test;
  await types.ensure([test.type]);
  return run(async (trx) => {
    const [ids] = await trx.query<{ delivery_id: number; attempt_id: number }>(insert, [
      workspaceId,
      eventPublicId,
      types.of(test.type),
      test.data,
      attempt.startedAt,
      endpointId,
      attempt.error === null ? deliveryState.succeeded : deliveryState.failed,
      test.endpointVersion,
      errorCode(attempt.error),
      attempt.responseCode,
      attempt.durationMs,
      attempt.excerpt === null || attempt.excerpt.length === 0 ? null : attempt.excerpt,
    ]);
    if (test.freesHold && (await trx.query(freeHold, [endpointId, attempt.startedAt])).length > 0)
      trx.wakesOthers = true;
    const [endpoint] = await trx.query<{ public_id: string; url: string }>(
      'select public_id, url from endpoints where id = $1',
      [endpointId],
    );
    if (ids === undefined || endpoint === undefined) throw new Error('the test of an endpoint that does not exist');
    return {
      id: ids.attempt_id,
      deliveryId: ids.delivery_id,
      eventPublicId,
      eventType: test.type,
      endpointPublicId: endpoint.public_id,
      url: endpoint.url,
      attempt: 1,
      responseCode: attempt.responseCode,
      durationMs: attempt.durationMs,
      error: attempt.error,
      isTest: true,
      startedAt: attempt.startedAt,
      nextAttemptAt: null,
      excerpt: attempt.excerpt,
    };
  });
}
