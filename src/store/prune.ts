import { type Kysely, sql } from 'kysely';
import type { PrunePosition } from '../core/ports/prune-position.ts';
import type { Access } from './access.ts';
import { takeEvents } from './manage/lock.ts';
import { deliveryState, type Tables } from './tables.ts';

/** One step looks at so many rows, which holds the writer for a few milliseconds. */
const rowsMax = 500;
/** And, of events, at so much payload: the pages of 500 large ones take five times as long. */
const bytesMax = 8 * 1024 * 1024;

/**
 * Deletes one step of what is older than `before`: attempts first, then the deliveries that they belonged to, then events
 * that are owed to nobody any more, each from its oldest row on. Answers where the next step begins; null when done.
 * A finished delivery's `due_at` is when it finished, so none goes before its attempts.
 */
export function prune(
  { write }: Access,
  { table, after }: PrunePosition,
  before: number,
): Promise<PrunePosition | null> {
  return write(async (trx) => {
    if (table === 'statistics') {
      const workspaces = trx.selectFrom('workspaces').select('id');
      await trx
        .deleteFrom('statistics')
        .where('workspace_id', 'in', workspaces)
        .where('bucket_at', '<', before)
        .execute();
      return null;
    }
    const last = await endOfStep(trx, table, after);
    if (last === undefined) return nextTable(table);
    const inStep = trx.deleteFrom(table).where('id', '>', after).where('id', '<=', last);
    if (table === 'attempts') {
      const old = trx
        .selectFrom('attempts')
        .select('id')
        .where('id', '>', after)
        .where('id', '<=', last)
        .where('started_at', '<', before);
      await trx.deleteFrom('attempt_excerpts').where('attempt_id', 'in', old).execute();
      const { numDeletedRows } = await trx
        .deleteFrom('attempts')
        .where('id', '>', after)
        .where('id', '<=', last)
        .where('started_at', '<', before)
        .executeTakeFirstOrThrow();
      const goOn = Number(numDeletedRows) > 0 || (await isOldBehind(trx, table, last, before));
      return goOn ? { table, after: last } : nextTable(table);
    }
    if (table === 'deliveries') {
      await inStep
        .where('state', 'in', [deliveryState.succeeded, deliveryState.failed, deliveryState.canceled])
        .where('due_at', '<', before)
        .execute();
    } else {
      const old = await trx
        .selectFrom('events')
        .select('id')
        .where('id', '>', after)
        .where('id', '<=', last)
        .where('created_at', '<', before)
        .where('fanned_out_after', 'is', null)
        .execute();
      await pruneEvents(
        trx,
        old.map(({ id }) => id),
      );
    }
    const youngest = await trx.selectFrom(table).select('created_at').where('id', '=', last).executeTakeFirst();
    const isOld = youngest === undefined || youngest.created_at < before;
    const goOn = isOld || (await isOldBehind(trx, table, last, before));
    return goOn ? { table, after: last } : nextTable(table);
  });
}

/**
 * Rows are in the order of their times, so that behind young ones there are no old ones: but those that a clock wrote which
 * was ahead stand before all that were written once it was right, and would keep these until they are old themselves. So
 * rows further and further behind are looked at, each a quarter further than the one before; a few dozen in any table.
 */
async function isOldBehind(
  trx: Kysely<Tables>,
  table: 'attempts' | 'deliveries' | 'events',
  after: number,
  before: number,
): Promise<boolean> {
  const of = sql.table(table);
  const time = sql.ref(table === 'attempts' ? 'started_at' : 'created_at');
  const { rows } = await sql<{ id: number }>`
    with recursive places (id, width) as (
      select cast(${after} as bigint), cast(${rowsMax} as bigint)
      union all
      select id + width, width + width / 4 from places where id < (select max(id) from ${of})
    )
    select id from places
    where (select ${time} from ${of} where ${of}.id > places.id order by ${of}.id limit 1) < ${before}
    limit 1`.execute(trx);
  return rows.length > 0;
}

/** The last row of the step behind `after`. */
async function endOfStep(
  trx: Kysely<Tables>,
  table: 'attempts' | 'deliveries' | 'events',
  after: number,
): Promise<number | undefined> {
  const rows = trx.selectFrom(table).select('id').where('id', '>', after).orderBy('id').limit(rowsMax);
  if (table !== 'events') return (await rows.execute()).at(-1)?.id;
  const sized = await rows.select(sql<number | null>`octet_length(data)`.as('bytes')).execute();
  let sum = 0;
  const full = sized.find(({ bytes }) => (sum += bytes ?? 0) > bytesMax);
  return (full ?? sized.at(-1))?.id;
}

/** On PostgreSQL a replay may be making a delivery of one of them: only a statement after the lock sees it. */
async function pruneEvents(trx: Kysely<Tables>, ids: number[]): Promise<void> {
  const free = await takeEvents(trx, ids);
  if (free.length === 0) return;
  await trx
    .deleteFrom('events')
    .where('id', 'in', free)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('deliveries').select('deliveries.id').whereRef('deliveries.event_id', '=', 'events.id'))),
    )
    .execute();
}

function nextTable(table: PrunePosition['table']): PrunePosition | null {
  if (table === 'attempts') return { table: 'deliveries', after: 0 };
  if (table === 'deliveries') return { table: 'events', after: 0 };
  return table === 'events' ? { table: 'statistics', after: 0 } : null;
}
