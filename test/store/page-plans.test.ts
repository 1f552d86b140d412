import SqliteDatabase from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { expect, it } from 'vitest';
import type { AttemptQuery, DeliveryQuery, EventQuery } from '../../src/core/ports/record-store.ts';
import type { ChangeAccess } from '../../src/store/access.ts';
import { attemptFurther, attempts, isIndexed } from '../../src/store/manage/attempts.ts';
import { deliveriesPage } from '../../src/store/manage/delivery-pages.ts';
import { recordStore } from '../../src/store/manage/records.ts';
import { schemaText } from '../../src/store/migrate.ts';
import type { Tables } from '../../src/store/tables.ts';

/** How SQLite finds the rows of a table that is read. */
async function wayTo(table: string, ask: (db: Kysely<Tables>) => Promise<unknown>): Promise<string> {
  const database = new SqliteDatabase(':memory:');
  database.exec(schemaText('sqlite'));
  const asked: { sql: string; parameters: readonly unknown[] }[] = [];
  const db = new Kysely<Tables>({
    dialect: new SqliteDialect({ database }),
    log: (event) => void asked.push(event.query),
  });
  await ask(db);
  const { sql = '', parameters = [] } = asked.at(-1) ?? {};
  const plan = database.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`).all(...parameters);
  await db.destroy();
  const step = plan.find(({ detail }) => new RegExp(`^(SEARCH|SCAN) ${table}\\b`).test(detail));
  return step?.detail ?? plan.map(({ detail }) => detail).join('\n');
}

it.each<[string, Partial<AttemptQuery>, RegExp]>([
  ['all of a workspace', {}, /attempts_by_workspace \(workspace_id=\?\)/],
  ['it from a place on', { before: 9 }, /attempts_by_workspace \(workspace_id=\? AND rowid<\?\)/],
  ['its successes', { status: 'succeeded' }, /attempts_by_workspace /],
  ['its failures', { status: 'failed' }, /attempts_failed_by_workspace /],
  ['its failures of one type', { status: 'failed', eventType: 'a' }, /attempts_failed_by_workspace /],
  ['one type', { eventType: 'a' }, /attempts_by_type \(workspace_id=\? AND type_id=\?\)/],
  ['one type between two places', { eventType: 'a', before: 9, after: 1 }, /attempts_by_type .*rowid>\? AND rowid<\?/],
  ['one endpoint', { endpointId: 1 }, /attempts_by_endpoint \(endpoint_id=\?\)/],
  ['it from a place on', { endpointId: 1, before: 9 }, /attempts_by_endpoint \(endpoint_id=\? AND id<\?\)/],
  ['its failures', { endpointId: 1, status: 'failed' }, /attempts_failed_by_endpoint /],
  ['them from a place on', { endpointId: 1, status: 'failed', before: 9 }, /attempts_failed_by_endpoint .*rowid</],
  ['one type of an endpoint', { endpointId: 1, eventType: 'a' }, /attempts_by_endpoint /],
  ['the tests', { isTest: true }, /attempts_of_tests /],
  ['the failed tests of an endpoint', { isTest: true, endpointId: 1, status: 'failed' }, /attempts_of_tests /],
])('a page of %s reads along its own index: %j', async (_what, query, way) => {
  const page = { limit: 50, withExcerpt: false, ...query };
  expect(await wayTo('attempts', (db) => attempts(db, 1, page))).toMatch(way);
});

it.each<[string, Partial<AttemptQuery>, RegExp]>([
  ['the successes of a workspace', { status: 'succeeded' }, /COVERING INDEX attempts_by_workspace /],
  ['a time of one type', { eventType: 'a', until: 9 }, /COVERING INDEX attempts_by_type /],
  ['one type of an endpoint', { endpointId: 1, eventType: 'a', before: 9 }, /COVERING INDEX attempts_by_endpoint /],
])('the steps along %s are counted in its index alone: %j', async (_what, query, way) => {
  const page = { limit: 50, withExcerpt: false, ...query };
  expect(isIndexed(page)).toBe(false);
  expect(await wayTo('attempts', (db) => attemptFurther(db, 1, page, 10))).toMatch(way);
});

it.each<[string, Partial<EventQuery>, RegExp]>([
  ['all of a workspace', {}, /events_by_workspace \(workspace_id=\?\)/],
  ['it from a place on', { before: 9 }, /events_by_workspace \(workspace_id=\? AND rowid<\?\)/],
  ['one type', { type: 'a' }, /events_by_type \(workspace_id=\? AND type_id=\?\)/],
  ['one type from a place on', { type: 'a', before: 9 }, /events_by_type .*rowid<\?/],
])('events of %s have their own index: %j', async (_what, query, way) => {
  const store = (db: Kysely<Tables>) => recordStore({ read: db } as ChangeAccess);
  expect(await wayTo('events', (db) => store(db).events(1, { limit: 50, ...query }))).toMatch(way);
});

it.each<[string, Partial<DeliveryQuery>, RegExp]>([
  ['an event', { eventId: 1 }, /\(event_id=\?\)/],
  ['what failed at an endpoint', { endpointId: 1, status: 'failed' }, /deliveries_failed \(endpoint_id=\?\)/],
  ['a workspace', { status: 'pending', before: 9 }, /INTEGER PRIMARY KEY \(rowid<\?\)/],
])('deliveries of %s: %j', async (_what, query, way) => {
  expect(await wayTo('deliveries', (db) => deliveriesPage(db, 1, { limit: 50, ...query }))).toMatch(way);
});
