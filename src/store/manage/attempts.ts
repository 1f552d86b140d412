import { type Expression, type Kysely, type SqlBool, sql } from 'kysely';
import type { AttemptQuery, AttemptRecord } from '../../core/ports/record-store.ts';
import { errorOf, type Tables } from '../tables.ts';
import { typeId } from './type-id.ts';
import { attemptRange } from './attempt-range.ts';

/** Attempts that fit, newest first. Their time is compared, and not looked for. */
export async function attempts(
  read: Kysely<Tables>,
  workspaceId: number,
  query: AttemptQuery,
): Promise<AttemptRecord[]> {
  const { since, until, after } = query;
  const rows = await attemptRows(read, query.withExcerpt)
    .where(({ and }) => and([ofWorkspace(workspaceId, query), ...conditions(query)]))
    .$if(since !== undefined, (q) => q.where('attempts.started_at', '>=', since ?? 0))
    .$if(until !== undefined, (q) => q.where('attempts.started_at', '<', until ?? 0))
    .$if(after !== undefined, (q) => q.where('attempts.id', '>', after ?? 0))
    .orderBy('attempts.id', 'desc')
    .limit(query.limit)
    .execute();
  return rows.map(attemptRecord);
}

export async function attempt(
  read: Kysely<Tables>,
  workspaceId: number,
  id: number,
  withExcerpt: boolean,
): Promise<AttemptRecord | null> {
  const row = await attemptRows(read, withExcerpt)
    .where('attempts.workspace_id', '=', workspaceId)
    .where('attempts.id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : attemptRecord(row);
}

/** The id of the attempt that lies `count` further down than `before` in the index that `attempts` walks. */
export async function attemptFurther(
  read: Kysely<Tables>,
  workspaceId: number,
  query: AttemptQuery,
  count: number,
): Promise<number | null> {
  const row = await read
    .selectFrom('attempts')
    .select('attempts.id')
    .where(({ and }) => and(conditions({ ...walked(query), before: query.before })))
    // An endpoint is of one workspace: to look whose it is would be to read the rows.
    .$if(query.endpointId === undefined, (q) => q.where(ofWorkspace(workspaceId, query)))
    .orderBy('attempts.id', 'desc')
    .limit(1)
    .offset(count)
    .executeTakeFirst();
  return row?.id ?? null;
}

type Filters = Pick<AttemptQuery, 'endpointId' | 'status' | 'eventType' | 'isTest'>;

/** Whether an index has nothing but what fits, or little else. */
export function isIndexed(query: AttemptQuery): boolean {
  const { endpointId, status, eventType, isTest, until } = query;
  if (isTest === true) return true;
  const asked = Object.values({ endpointId, status, eventType, isTest, until }).filter((one) => one !== undefined);
  return asked.length === Object.keys(walked(query)).length;
}

/** What the index has, of all that is asked for, along which the attempts are read. */
function walked({ endpointId, status, eventType, isTest }: Filters): Filters {
  if (isTest === true) return { isTest };
  const failed = status === 'failed' ? { status } : {};
  if (endpointId !== undefined) return { endpointId, ...failed };
  return eventType === undefined || status === 'failed' ? failed : { eventType };
}

function ofWorkspace(workspaceId: number, query: Filters): Expression<SqlBool> {
  return sql`${column('workspace_id', walked(query).endpointId === undefined)} = ${workspaceId}`;
}

function conditions(query: Filters & Pick<AttemptQuery, 'before'>): Expression<SqlBool>[] {
  const { endpointId, status, eventType, isTest, before } = query;
  const way = walked(query);
  const asked: Expression<SqlBool>[] = [];
  if (endpointId !== undefined) asked.push(sql`${column('endpoint_id', way.endpointId !== undefined)} = ${endpointId}`);
  if (eventType !== undefined) {
    asked.push(sql`${column('type_id', way.eventType !== undefined)} = ${typeId(eventType)}`);
  }
  if (status !== undefined) {
    asked.push(
      sql`${column('error', way.status !== undefined)} is ${sql.raw(status === 'failed' ? 'not null' : 'null')}`,
    );
  }
  if (isTest !== undefined) asked.push(sql`attempts.is_test = ${sql.lit(isTest ? 1 : 0)}`);
  if (before !== undefined) asked.push(sql`attempts.id < ${before}`);
  return asked;
}

/** SQLite knows nothing of how many rows an index has for a value: the + keeps it from the others. */
function column(name: string, isWalked: boolean) {
  return isWalked ? sql.ref(`attempts.${name}`) : sql`+${sql.ref(`attempts.${name}`)}`;
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
