import type { Pool } from 'pg';
import type { Attempt } from './peer.ts';

const insert = `insert into attempts (event_id, url, status, duration_ms)
  select * from unnest($1::text[], $2::text[], $3::int[], $4::int[])`;

/**
 * The log of the queues on PostgreSQL: resolves once the row is committed. What arrives while an insert is under way shares
 * the next one, as Posthorn's own commits do; each by itself would be slower.
 */
export async function makeAttemptLog(pool: Pool): Promise<(attempt: Attempt) => Promise<void>> {
  await pool.query(`create table if not exists attempts (id bigint generated always as identity primary key,
    event_id text not null, url text not null, status int not null, duration_ms int not null, at timestamptz default now())`);
  let waiting: { attempt: Attempt; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let writing = false;
  const drain = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      const column = <T>(of: (attempt: Attempt) => T): T[] => group.map(({ attempt }) => of(attempt));
      const values = [
        column(({ id }) => id),
        column(({ url }) => url),
        column(({ status }) => status),
        column(({ durationMs }) => durationMs),
      ];
      try {
        await pool.query({ name: 'insert-attempts', text: insert, values });
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    writing = false;
  };
  return (attempt) =>
    new Promise((resolve, reject) => {
      waiting.push({ attempt, resolve, reject });
      if (!writing) setImmediate(() => void (writing || drain()));
    });
}

/** Resolves once the query finds nothing any more. */
export async function untilNone(pool: Pool, query: string): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(query);
    if (rows.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
