import Database from 'better-sqlite3';
import { expect, it, onTestFinished, vi } from 'vitest';
import { views } from '../../src/http/dashboard/pages/index.ts';
import { configs, type Rest, startRest } from '../contract/rest.ts';
import { pageRequests } from './requests.ts';

/** Lists are asked for with their filters too. */
const filtered = [
  '/data/webhooks?status=failed',
  '/data/webhooks?status=succeeded&event_type=contact.created',
  '/data/webhooks?endpoint_id=:id&kind=test',
  '/data/webhooks?since=2026-11-23T09:00',
  '/data/events?event_type=contact.created',
];

/** Every page, with ids of things that are there. */
async function paths(rest: Rest): Promise<string[]> {
  rest.h.receiver.respond((_request, response) => response.writeHead(500).end());
  const subscription = (await rest.subscribe({ events: ['*'] })).body.id as string;
  const config = (await rest.ask('POST', configs, { name: 'C', url: rest.h.receiver.url })).body.id as string;
  const actions = [{ type: 'webhook', config_id: config }];
  const { body: automation } = await rest.ask('POST', '/v1/automations', { name: 'A', trigger_event: '*', actions });
  await rest.h.posthorn.startDispatcher();
  const { body: event } = await rest.publish();
  const [attempt] = await rest.logOf(subscription, 1);
  const ids: [string, string][] = [
    ['?', subscription],
    ['/subscriptions/', subscription],
    ['/configs/', config],
    ['/automations/', automation.id],
    ['/events/', event.id],
    ['/webhooks/', attempt?.id ?? ''],
  ];
  const idFor = (path: string) => ids.find(([part]) => path.includes(part))?.[1] ?? 'key_1';
  return [...views.map(({ path }) => path), ...filtered].map((path) =>
    path.replace(':id', idFor(path)).replace(':name', 'contact.created'),
  );
}

it('no page reads the whole of a table that grows with every event, or sorts its rows', async () => {
  const rest = await startRest();
  onTestFinished(() => rest.close());
  const { cookieOf, get } = pageRequests(() => rest);
  const cookie = await cookieOf();
  const asked = await paths(rest);
  const prepare = vi.spyOn(Database.prototype, 'prepare');
  onTestFinished(() => prepare.mockRestore());
  const statements = new Map<string, string>();
  for (const path of asked) {
    prepare.mockClear();
    expect([path, (await get(cookie, path)).status]).toEqual([path, 200]);
    for (const [sql] of prepare.mock.calls) if (!statements.has(sql)) statements.set(sql, path);
  }
  prepare.mockRestore();
  const db = new Database(rest.h.databaseUrl.replace('file:', ''), { readonly: true });
  const found = [...statements].flatMap(([sql, path]) =>
    faultsOf(db, sql).map((fault) => `${path}: ${fault} in ${sql}`),
  );
  db.close();
  expect(found).toEqual([]);
  for (const table of ['events', 'deliveries', 'attempts'])
    expect([...statements.keys()].some((sql) => sql.includes(`from "${table}"`))).toBe(true);
});

/** What its plan does that takes longer the more there is. The deliveries of one event are few enough to be sorted. */
function faultsOf(db: Database.Database, sql: string): string[] {
  // The ends of a table are found at once.
  if (!sql.includes(' where ')) return [];
  const parameters = Array<number>((sql.match(/\?/g) ?? []).length).fill(1);
  const plan = db.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`).all(...parameters);
  const isLong = / from "(events|attempts)" /.test(sql);
  return plan
    .map(({ detail }) => detail)
    .filter((step) => /^SCAN (events|deliveries|attempts)\b/.test(step) || (isLong && step.endsWith(' FOR ORDER BY')));
}
