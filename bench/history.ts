import Database from 'better-sqlite3';
import { databasePath } from './server.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

/** Between one event of the history and the next. */
const everyMs = 60_000;
const rollUpMsMax = 180_000;

/** Columns that are not copied as they stand. `n` counts the copies, `@…` are the highest ids of what is copied. */
const changed: Record<string, string> = {
  'events.id': 'id + n * @event',
  'events.public_id': "public_id || '_' || n",
  'deliveries.id': 'id + n * @delivery',
  'deliveries.event_id': 'event_id + n * @event',
  'attempts.id': 'id + n * @attempt',
  'attempts.delivery_id': 'delivery_id + n * @delivery',
  // Each time the next endpoint's: what failed at one failed at all of them now and then.
  'deliveries.endpoint_id': '1 + (endpoint_id - 1 + n) % @endpoint',
  'attempts.endpoint_id': '1 + (endpoint_id - 1 + n) % @endpoint',
};
const times = new Set(['occurred_at', 'created_at', 'due_at', 'started_at', 'next_attempt_at']);

/**
 * Repeats what the program itself stored in a new database, events with their deliveries and attempts, so often: a
 * history whose every row is one that the program wrote, but for ids and times. No server may run on it.
 */
export function repeatHistory(folder: string, copies: number): void {
  const db = new Database(databasePath(folder));
  // A history that was half made is made anew.
  db.pragma('journal_mode = off');
  db.pragma('synchronous = off');
  db.pragma('cache_size = -262144');
  const highest = (table: string) => db.prepare<[], number>(`select max(id) from ${table}`).pluck().get() ?? 0;
  const ids = {
    event: highest('events'),
    delivery: highest('deliveries'),
    attempt: highest('attempts'),
    endpoint: highest('endpoints'),
  };
  db.exec('begin');
  // An index that is made in the end is made in order, which takes a tenth of the time.
  const indexes = db
    .prepare<[], { name: string; sql: string }>(
      "select name, sql from sqlite_master where type = 'index' and tbl_name in ('deliveries', 'attempts') and sql is not null",
    )
    .all();
  for (const { name } of indexes) db.exec(`drop index ${name}`);
  for (const table of ['events', 'deliveries', 'attempts']) repeatTable(db, table, copies, ids);
  for (const { sql } of indexes) db.exec(sql);
  db.prepare('update endpoints set pending_count = pending_count * (? + 1)').run(copies);
  db.exec('commit');
  db.pragma('journal_mode = wal');
  db.close();
}

/** Resolves once a server that runs on it has counted the whole history, which it does beside everything else. */
export async function untilRolledUp(stage: Stage, folder: string): Promise<void> {
  stage.progress('rolling up the figures of the overview');
  const db = new Database(databasePath(folder), { readonly: true });
  const leftOver = db
    .prepare<[], number>('select (select max(id) from attempts) - (select attempt_id from statistics_position)')
    .pluck();
  try {
    await until('the figures to be rolled up', { everyMs: 100, msMax: rollUpMsMax }, async () =>
      leftOver.get() === 0 ? true : null,
    );
  } finally {
    db.close();
  }
}

function repeatTable(db: Database.Database, table: string, copies: number, ids: object): void {
  const columns = db
    .prepare<[], { name: string }>(`pragma table_info(${table})`)
    .all()
    .map(({ name }) => name);
  const values = columns.map(
    (name) => changed[`${table}.${name}`] ?? (times.has(name) ? `${name} + n * ${everyMs}` : name),
  );
  const past = columns.filter((name) => times.has(name)).map((name) => `${name} = ${name} - ${copies * everyMs}`);
  db.exec(`update ${table} set ${past.join(', ')}`);
  db.exec(`create temp table original as select * from ${table}`);
  db.prepare(
    `with recursive copy (n) as (select 1 union all select n + 1 from copy where n < @copies)
     insert into ${table} (${columns.join(', ')}) select ${values.join(', ')} from copy cross join original`,
  ).run({ ...ids, copies });
  db.exec('drop table original');
}
