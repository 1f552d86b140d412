import { type Kysely, sql } from 'kysely';
import type { OverviewStore, ReplaySpan, StatisticsCell } from '../../core/ports/overview-store.ts';
import { bucketMs, durationBoundsMs } from '../../core/rules/statistics.ts';
import type { Access } from '../access.ts';
import { deliveryState, type Tables } from '../tables.ts';
import { isFannedOutTo } from '../to-fan-out.ts';
import { endOfStretch } from './event-stretch.ts';

/** One step reads so many rows, which holds the writer for a few milliseconds. */
const rowsMax = 5_000;
/** Attempts that are not rolled up yet are counted live; of more, the newest. */
const tailRowsMax = 50_000;
const positionId = 1;

/** On PostgreSQL ids are given before they are committed: up to which one nothing is missing any more. */
export type Horizon = (trx: Kysely<Tables>) => Promise<number>;

/** The figures of the overview: rolled up by the worker in steps of increasing ids, and the tail counted live. */
export function overviewStore({ read, write }: Access, horizon: Horizon): OverviewStore {
  return {
    async statistics(workspaceId, since, until, stepMs) {
      const kept = await read
        .selectFrom('statistics')
        .select(({ fn }) => [
          floored('bucket_at', stepMs).as('at'),
          sql<number>`case when outcome = 0 then 1 else 0 end`.as('succeeded'),
          'duration_class',
          fn.sum<number | string>('count').as('count'),
        ])
        .where('workspace_id', '=', workspaceId)
        .where('bucket_at', '>=', since)
        .where('bucket_at', '<', until)
        .groupBy(['at', 'succeeded', 'duration_class'])
        .execute();
      const tail = await liveTail(read, workspaceId, since, stepMs);
      return [...kept, ...tail].map(
        (row): StatisticsCell => ({
          bucketAt: row.at,
          succeeded: row.succeeded === 1,
          durationClass: row.duration_class,
          count: Number(row.count),
        }),
      );
    },

    countReplay: (workspaceId, span) => countReplay(read, workspaceId, span),

    async rollUp() {
      // Nothing is written while nothing happens.
      const [newest, position] = await Promise.all([newestAttempt(read), positionOf(read)]);
      return newest === position ? false : write((trx) => rollUpStep(trx, horizon));
    },
  };
}

async function liveTail(read: Kysely<Tables>, workspaceId: number, since: number, stepMs: number) {
  const position = await positionOf(read);
  const newest = await newestAttempt(read);
  return read
    .selectFrom('attempts')
    .select(({ fn }) => [
      floored('started_at', stepMs).as('at'),
      sql<number>`case when error is null then 1 else 0 end`.as('succeeded'),
      durationClass.as('duration_class'),
      fn.countAll<number>().as('count'),
    ])
    .where('id', '>', Math.max(position > newest ? 0 : position, newest - tailRowsMax))
    .where('workspace_id', '=', workspaceId)
    .where('is_test', '=', sql.lit(0))
    .where('started_at', '>=', since)
    .groupBy(['at', 'succeeded', 'duration_class'])
    .execute();
}

/** Adds the attempts behind the position, in one transaction with the position itself: none is counted twice. */
async function rollUpStep(trx: Kysely<Tables>, horizon: Horizon): Promise<boolean> {
  await trx
    .insertInto('statistics_position')
    .values({ id: positionId, attempt_id: 0, upcoming_id: 0, upcoming_xid: null })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ id: positionId }))
    .execute();
  const stored = await positionOf(trx);
  const newest = await newestAttempt(trx);
  // SQLite gives ids anew once a table became empty.
  const from = stored > newest ? 0 : stored;
  const upTo = Math.min(await horizon(trx), from + rowsMax);
  if (upTo <= from) return false;
  const cells = await trx
    .selectFrom('attempts')
    .select(({ fn }) => [
      'workspace_id',
      floored('started_at', bucketMs).as('at'),
      sql<number>`coalesce(error, 0)`.as('outcome'),
      durationClass.as('duration_class'),
      fn.countAll<number>().as('count'),
    ])
    .where('id', '>', from)
    .where('id', '<=', upTo)
    .where('is_test', '=', sql.lit(0))
    .groupBy(['workspace_id', 'at', 'outcome', 'duration_class'])
    .execute();
  for (const { at, count, ...cell } of cells) {
    await trx
      .insertInto('statistics')
      .values({ ...cell, bucket_at: at, count })
      .onConflict((conflict) =>
        conflict
          .columns(['workspace_id', 'bucket_at', 'outcome', 'duration_class'])
          .doUpdateSet({ count: sql`statistics.count + excluded.count` }),
      )
      .execute();
  }
  await trx.updateTable('statistics_position').set({ attempt_id: upTo }).where('id', '=', positionId).execute();
  return upTo === from + rowsMax;
}

async function positionOf(db: Kysely<Tables>): Promise<number> {
  const row = await db
    .selectFrom('statistics_position')
    .select('attempt_id')
    .where('id', '=', positionId)
    .executeTakeFirst();
  return row?.attempt_id ?? 0;
}

export async function newestAttempt(db: Kysely<Tables>): Promise<number> {
  const { newest } = await db
    .selectFrom('attempts')
    .select(({ fn }) => fn.max('id').as('newest'))
    .executeTakeFirstOrThrow();
  return newest ?? 0;
}

/** All of a long log is looked at, so in stretches. */
export async function countReplay(
  read: Kysely<Tables>,
  workspaceId: number,
  span: ReplaySpan,
  stretch?: number,
): Promise<number> {
  let found = 0;
  for (let after = span.afterEventId; ; await new Promise(setImmediate)) {
    const end = await endOfStretch(read, workspaceId, after, stretch);
    const countMax = span.countMax - found;
    found += await countBetween(read, workspaceId, { ...span, afterEventId: after, countMax }, end?.id ?? null);
    if (end === null || found === span.countMax) return found;
    after = end.id - 1;
  }
}

async function countBetween(
  read: Kysely<Tables>,
  workspaceId: number,
  span: ReplaySpan,
  before: number | null,
): Promise<number> {
  const wanted = read
    .selectFrom('events')
    .innerJoin('type_names', 'type_names.id', 'events.type_id')
    .leftJoin('deliveries', (join) =>
      join.onRef('deliveries.event_id', '=', 'events.id').on('deliveries.endpoint_id', '=', span.endpointId),
    )
    .select('events.id')
    .where('events.workspace_id', '=', workspaceId)
    .where('events.id', '>', span.afterEventId)
    .$if(before !== null, (query) => query.where('events.id', '<', before ?? 0))
    .where('events.created_at', '>=', span.since)
    .where('events.is_test', '=', sql.lit(0))
    .where(isFannedOutTo(span.endpointId))
    .where('events.data', 'is not', null)
    .where('type_names.name', 'in', span.types)
    .where(({ or, eb }) => or([eb('deliveries.id', 'is', null), eb('deliveries.state', '=', deliveryState.failed)]))
    .limit(span.countMax)
    .as('wanted');
  const { count } = await read
    .selectFrom(wanted)
    .select(({ fn }) => fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

function floored(column: 'bucket_at' | 'started_at', stepMs: number) {
  return sql<number>`${sql.ref(column)} - ${sql.ref(column)} % ${sql.lit(stepMs)}`;
}

const durationClass = sql<number>`case ${sql.raw(
  durationBoundsMs.map((bound, index) => `when duration_ms < ${bound} then ${index}`).join(' '),
)} else ${sql.lit(durationBoundsMs.length)} end`;
