import SqliteDatabase from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { expect, it } from 'vitest';
import type { AttemptQuery } from '../../src/core/ports.ts';
import { attempts } from '../../src/store/manage/attempts.ts';
import { schemaText } from '../../src/store/migrate.ts';
import type { Tables } from '../../src/store/tables.ts';

/** How SQLite finds the rows of `attempts` for a page of the log. */
async function wayTo(query: Partial<AttemptQuery>): Promise<string> {
  const database = new SqliteDatabase(':memory:');
  database.exec(schemaText('sqlite'));
  const asked: { sql: string; parameters: readonly unknown[] }[] = [];
  const db = new Kysely<Tables>({
    dialect: new SqliteDialect({ database }),
    log: (event) => void asked.push(event.query),
  });
  await attempts(db, 1, { limit: 50, withExcerpt: false, ...query });
  const { sql = '', parameters = [] } = asked.at(-1) ?? {};
  const plan = database.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`).all(...parameters);
  await db.destroy();
  const step = plan.find(({ detail }) => /^(SEARCH|SCAN) attempts\b/.test(detail));
  return step?.detail ?? plan.map(({ detail }) => detail).join('\n');
}

it.each<[string, Partial<AttemptQuery>, RegExp]>([
  ['one endpoint', { endpointId: 1 }, /attempts_by_endpoint /],
  ['the failures of one endpoint', { endpointId: 1, status: 'failed' }, /attempts_failed_by_endpoint /],
  ['them from a place on', { endpointId: 1, status: 'failed', before: 9 }, /attempts_failed_by_endpoint .*id</],
  ['the failures of a workspace', { status: 'failed' }, /attempts_failed_by_workspace /],
  ['its tests', { isTest: true }, /attempts_of_tests /],
  ['all of a workspace, from a place on', { before: 9 }, /INTEGER PRIMARY KEY \(rowid<\?\)/],
])('a page of %s reads no others', async (_what, query, way) => {
  expect(await wayTo(query)).toMatch(way);
});
