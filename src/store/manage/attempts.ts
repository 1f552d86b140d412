import { type Kysely, sql } from 'kysely';
import type { AttemptQuery, AttemptRecord } from '../../core/ports.ts';
import { errorOf, type Tables } from '../tables.ts';
import { attemptRange } from './attempt-range.ts';

/** One page of the delivery log, newest first. */
export async function attempts(
  read: Kysely<Tables>,
  workspaceId: number,
  query: AttemptQuery,
): Promise<AttemptRecord[]> {
  const { id, endpointId, status, eventType, isTest, since, until, before, after } = query;
  const { from, to } = await attemptRange(read, query);
  // Of one endpoint's log the workspace is a mere check: SQLite would take the failures of all endpoints for it. Hence the +.
  const ofWorkspace = endpointId === undefined ? sql.ref('attempts.workspace_id') : sql`+attempts.workspace_id`;
  const rows = await attemptRows(read, query.withExcerpt)
    .where(ofWorkspace, '=', workspaceId)
    .$if(id !== undefined, (q) => q.where('attempts.id', '=', id ?? 0))
    .$if(endpointId !== undefined, (q) => q.where('attempts.endpoint_id', '=', endpointId ?? 0))
    .$if(status !== undefined, (q) => q.where('attempts.error', status === 'failed' ? 'is not' : 'is', null))
    .$if(eventType !== undefined, (q) => q.where('type_names.name', '=', eventType ?? ''))
    .$if(isTest !== undefined, (q) => q.where('attempts.is_test', '=', sql.lit(isTest ? 1 : 0)))
    .$if(since !== undefined, (q) => q.where('attempts.started_at', '>=', since ?? 0))
    .$if(until !== undefined, (q) => q.where('attempts.started_at', '<', until ?? 0))
    .$if(before !== undefined, (q) => q.where('attempts.id', '<', before ?? 0))
    .$if(after !== undefined, (q) => q.where('attempts.id', '>', after ?? 0))
    .$if(from !== null, (q) => q.where('attempts.id', '>=', from ?? 0))
    .$if(to !== null, (q) => q.where('attempts.id', '<', to ?? 0))
    .orderBy('attempts.id', 'desc')
    .limit(query.limit)
    .execute();
  return rows.map(attemptRecord);
}

/** The attempts of one delivery, oldest first: by an index over all but successes at the first go, and those by their time. */
export async function attemptsOf(
  read: Kysely<Tables>,
  workspaceId: number,
  deliveryId: number,
  limit: number,
): Promise<AttemptRecord[]> {
  const rows = await attemptRows(read, false)
    .where('attempts.workspace_id', '=', workspaceId)
    .where('attempts.delivery_id', '=', deliveryId)
    .where(sql<boolean>`(attempts.error is not null or attempts.attempt > 1)`)
    .orderBy('attempts.id')
    .limit(limit)
    .execute();
  const found = rows.map(attemptRecord);
  if (found[0]?.attempt === 1) return found;
  const first = await firstSuccess(read, workspaceId, deliveryId);
  return first === null ? found : [first, ...found];
}

/** A first attempt is made and recorded within this time, or its timeline begins with the second. */
const recordedWithinMs = 120_000;

async function firstSuccess(
  read: Kysely<Tables>,
  workspaceId: number,
  deliveryId: number,
): Promise<AttemptRecord | null> {
  const delivery = await read
    .selectFrom('deliveries')
    .select(['endpoint_id', 'created_at', 'due_at', 'attempts'])
    .where('id', '=', deliveryId)
    .executeTakeFirst();
  if (delivery === undefined) return null;
  // A finished delivery's `due_at` is when its last attempt began, which is the one sought where there was no other.
  const at = delivery.attempts === 1 ? delivery.due_at : delivery.created_at;
  const { from, to } = await attemptRange(read, { since: at, until: at + recordedWithinMs });
  const row = await attemptRows(read, false)
    .where('attempts.workspace_id', '=', workspaceId)
    .where('attempts.endpoint_id', '=', delivery.endpoint_id)
    .where('attempts.delivery_id', '=', deliveryId)
    .where('attempts.id', '>=', from ?? 0)
    .where('attempts.id', '<', to ?? 0)
    .orderBy('attempts.id')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : attemptRecord(row);
}

function attemptRows(read: Kysely<Tables>, withExcerpt: boolean) {
  return read
    .selectFrom('attempts')
    .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
    .innerJoin('events', 'events.id', 'deliveries.event_id')
    .innerJoin('type_names', 'type_names.id', 'attempts.type_id')
    .innerJoin('endpoints', 'endpoints.id', 'attempts.endpoint_id')
    .innerJoin('endpoint_urls', (join) =>
      join
        .onRef('endpoint_urls.endpoint_id', '=', 'attempts.endpoint_id')
        .onRef('endpoint_urls.version', '=', 'attempts.endpoint_version'),
    )
    .leftJoin('attempt_excerpts', (join) =>
      join.onRef('attempt_excerpts.attempt_id', '=', 'attempts.id').on(sql.lit(withExcerpt ? 1 : 0), '=', sql.lit(1)),
    )
    .select([
      'attempts.id',
      'attempts.delivery_id',
      'events.public_id as event_public_id',
      'type_names.name as event_type',
      'endpoints.public_id as endpoint_public_id',
      'endpoint_urls.url',
      'attempts.attempt',
      'attempts.response_code',
      'attempts.duration_ms',
      'attempts.error',
      'attempts.is_test',
      'attempts.started_at',
      'attempts.next_attempt_at',
      'attempt_excerpts.body',
    ]);
}

type AttemptRow = Awaited<ReturnType<ReturnType<typeof attemptRows>['execute']>>[number];

function attemptRecord(row: AttemptRow): AttemptRecord {
  return {
    id: row.id,
    deliveryId: row.delivery_id,
    eventPublicId: row.event_public_id,
    eventType: row.event_type,
    endpointPublicId: row.endpoint_public_id,
    url: row.url,
    attempt: row.attempt,
    responseCode: row.response_code,
    durationMs: row.duration_ms,
    error: errorOf(row.error),
    isTest: row.is_test === 1,
    startedAt: row.started_at,
    nextAttemptAt: row.next_attempt_at,
    excerpt: row.body === null ? null : Buffer.from(row.body),
  };
}
