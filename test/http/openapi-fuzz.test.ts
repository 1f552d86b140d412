import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopes } from '../../src/core/vocabulary.ts';
import { routes } from '../../src/http/api/routes.ts';
import { openApiDocument } from '../../src/http/openapi/document.ts';
import { makePolicy } from '../../src/net/address.ts';
import { makeSender } from '../../src/net/sender.ts';
import { makeTargets } from '../../src/net/targets.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';
import { type FuzzRequest, requestsOf } from './arbitrary-requests.ts';
import type { Known } from './arbitrary-values.ts';
import { type Answered, type Documented, type Judge, judge } from './documented.ts';

/** Change it to look elsewhere; a failure prints the request that it shrank to. */
const seed = 20_261_123;
const runsPerOperation = 40;
const adminKey = 'an-admin-key-of-more-than-32-characters';
/** Of each kind. The first third is there to be deleted, the second to be changed, the last stays as it is. */
const rowsPerKind = 24;
const third = rowsPerKind / 3;

/** What is forbidden is refused with one of these. */
const refusals = new Set([400, 404, 413, 415, 422]);
/** Published before the run, so that it can meet them again. */
const repeated = ['repeated-1', 'repeated-2'].map((id) => ({ type: 'contact.created', data: { a: 1 }, id }));
const ownTypes = ['fuzz.one', 'fuzz.two', 'fuzz.three', 'fuzz.four'];

type Document = Parameters<typeof judge>[0];
const judged: Judge = judge(
  openApiDocument({ publicUrl: 'http://localhost', version: '0', brand: 'Brand', types: [] }) as unknown as Document,
);
const operations = judged.operations.filter(({ security }) => security.length > 0);

let h: Harness;
let base = '';
let known: Known;
let foreign: () => Promise<string>;
let database: Database.Database;
let lowlyKey = '';

beforeAll(async () => {
  const clock = new FakeClock();
  const policy = makePolicy({ allowTargets: ['127.0.0.1/32'], ownHosts: () => [], ownAddresses: () => [] });
  // Names are not asked of anybody: what is generated here is nobody's business.
  const lookup = () => Promise.reject(new Error('no names here'));
  h = await startHarness({
    clock,
    environment: { PORT: '0', POSTHORN_ADMIN_KEY: adminKey },
    ports: { sender: makeSender({ policy, clock, lookup }), targets: makeTargets({ policy, clock, lookup }) },
  });
  h.receiver.respond(({ path }, response) => response.writeHead(path === '/failing' ? 500 : 204).end());
  base = (await h.posthorn.listen()).url;
  known = await seeded(h);
  database = new Database(h.databaseUrl.replace('file:', ''), { readonly: true });
});
afterAll(async () => {
  database.close();
  await h.close();
});

/** Moves whenever another connection commits to the database. */
const commits = () => database.pragma('data_version', { simple: true });

/** Rows of every kind in two workspaces. The dispatcher has done its work and stands still, so that nothing else writes. */
async function seeded({ core, owner, posthorn, receiver }: Harness): Promise<Known> {
  await posthorn.operator.createWorkspace('other');
  const stranger = await posthorn.operator.principal('other');
  const url = `${receiver.url}/hook`;
  const names = ['contact.created', 'form.submitted', 'task.created'];
  const subscriptions = [];
  for (let nth = 0; nth < rowsPerKind; nth++) {
    const path = nth % 4 === 0 ? `${receiver.url}/failing` : url;
    subscriptions.push(await core.createSubscription(owner, { url: path, events: [names[nth % 3] ?? '*'] }));
  }
  const configs = [];
  for (let nth = 0; nth < rowsPerKind; nth++) configs.push(await core.createConfig(owner, { name: `c${nth}`, url }));
  const automations = [];
  for (let nth = 0; nth < rowsPerKind; nth++) {
    const actions = [{ type: 'webhook', config_id: configs.at(-1)?.id }];
    automations.push(await core.createAutomation(owner, { name: `a${nth}`, trigger_event: 'call.missed', actions }));
  }
  // What automations did is counted at once, and then once a second of a clock that stands still: never again here.
  await core.publish(owner, { type: 'call.missed', data: {} });
  const automation = { automation_id: automations[0]?.id };
  await until(async () => (await core.getAutomation(owner, automation)).fired_count > 0);
  const theirConfig = await core.createConfig(stranger, { name: 'theirs', url });
  const theirs = await core.createSubscription(stranger, { url, events: ['*'] });
  await posthorn.startDispatcher();
  const events = Array.from({ length: rowsPerKind }, (_, nth) => ({
    type: names[nth % 3],
    data: { nth },
    id: `evt-${nth}`,
  }));
  await core.publishMany(owner, [...events, ...repeated]);
  for (const name of ownTypes) await core.putEventType(owner, { name, description: 'Ours.', example: {} });
  await core.publish(stranger, { type: 'contact.created', data: {}, id: 'their-event' });
  await until(async () => (await core.listDeliveries(owner, { status: 'succeeded' })).data.length > rowsPerKind);
  await core.worker.stop(0);
  const keys = [];
  for (let nth = 0; nth < rowsPerKind; nth++)
    keys.push(await core.createKey(owner, { name: 'k', scopes: [...scopes] }));
  lowlyKey = (await core.createKey(owner, { name: 'lowly', scopes: ['payloads:read'] })).key;
  const theirKey = await core.createKey(stranger, { name: 'theirs', scopes: [...scopes] });
  const { data: deliveries } = await core.listDeliveries(owner, { limit: 200 });
  const tested = await core.testSubscription(owner, { subscription_id: subscriptions[0]?.id });
  const { data: logs } = await core.listLogs(owner, { limit: rowsPerKind });
  const { data: theirDeliveries } = await core.listDeliveries(stranger, {});

  foreign = async () =>
    JSON.stringify([
      await core.listSubscriptions(stranger, {}),
      await core.listConfigs(stranger, {}),
      await core.listAutomations(stranger, {}),
      await core.listDeliveries(stranger, {}),
      await core.getEvent(stranger, { event_id: 'their-event' }),
      await core.listKeys(stranger, {}),
    ]);
  const { next_cursor: cursor } = await core.listEvents(owner, { limit: 1 });
  const stable = new Set(
    [...subscriptions, ...events].map(({ id }) => id).filter((_, nth) => nth % rowsPerKind >= 2 * third),
  );
  const retriable = deliveries.filter((one) => stable.has(one.endpoint_id) && stable.has(one.event_id));
  const rows = {
    subscriptions: { ours: subscriptions.map(({ id }) => id), others: [theirs.id, 'sub_00000000000000000000000000'] },
    configs: { ours: configs.map(({ id }) => id), others: [theirConfig.id, 'cfg_00000000000000000000000000'] },
    automations: { ours: automations.map(({ id }) => id), others: ['aut_00000000000000000000000000'] },
    events: { ours: events.map(({ id }) => id), others: ['their-event', 'nobodys'] },
    deliveries: {
      ours: retriable.map(({ id }) => id),
      others: [theirDeliveries[0]?.id ?? '', 'dlv_0000000vvvv', ...Array<string>(4).fill(tested.delivery_id)],
    },
    logs: { ours: logs.map(({ id }) => id), others: ['att_0000000vvvv'] },
    keys: { ours: keys.map(({ id }) => id), others: [theirKey.id, 'key_00000000000000000000000000'] },
  };
  const actions = [configs.at(-1)?.id, theirConfig.id].map((id) => [{ type: 'webhook', config_id: id }]);
  return { ids: idsOf(rows), values: { ...valuesOf(url, rows.subscriptions.ours, cursor), actions } };
}

/** Each way to change rows has its own, so that the order of the tests does not matter. */
function idsOf(rows: Record<string, { ours: string[]; others: string[] }>): Known['ids'] {
  return ({ method, path }) => {
    const { ours, others } = Object.entries(rows).find(([kind]) => path.includes(`/${kind}/`))?.[1] ?? {
      ours: [],
      others: [],
    };
    const from = path.includes('/deliveries/') || method === 'DELETE' ? 0 : method === 'PATCH' ? third : 2 * third;
    return [...ours.slice(from, from + third), ...others];
  };
}

const valuesOf = (url: string, subscriptions: string[], cursor: string | null): Known['values'] => ({
  url: [url, `${url}?a=1`, url, 'https://hooks.example.com/in', 'http://169.254.169.254/', 'nonsense'],
  events: [['contact.created'], ['contact.*', 'form.submitted'], ['*'], ['contact.create']],
  trigger_event: ['contact.created', 'contact.*', '*', 'contact.create'],
  conditions: [null, 'data.a == 1', 'event.type == "contact.created"', 'data.'],
  trigger_events: [[], ['contact.created'], ['*'], ['contact.create']],
  headers: [{}, { 'X-Team': 'a' }, { Authorization: 'Bearer x', 'x-b': '••••••••' }, { Host: 'a' }, { 'x-c': ' a' }],
  type: ['contact.created', 'contact.created', 'contact.create'],
  event_type: ['contact.created', 'form.submitted', 'contact.create'],
  name: ['contact.created', 'fuzz.never', ...ownTypes],
  id: repeated.map(({ id }) => id),
  data: repeated.map(({ data }) => data),
  example: [{ a: 1 }],
  scopes: [['events:read'], ['webhooks:read', 'events:write'], [...scopes]],
  secret: ['a-secret-of-mine', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'short'],
  overlap: ['0s', '1h', '7d', '8d'],
  expires_in: ['90d', '0s', '1ms', '999999999999d', '100000000d', '104249991d'],
  since: ['2026-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '0000-01-01T00:00:00Z', '2026-02-31T00:00:00+14:00'],
  occurred_at: ['2026-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59', '0000-01-01T00:00:00+23:59'],
  endpoint_id: subscriptions,
  cursor: [cursor, 'cjE', 'cjA', 'abc', 'cjk5OTk5OTk5OTk5OTk5OTk5'],
});

async function send(request: FuzzRequest, authorization = `Bearer ${adminKey}`): Promise<Answered> {
  const { operation, path, headers, body } = request;
  const response = await fetch(base + path, {
    method: operation.method,
    headers: { ...(authorization === '' ? {} : { authorization }), ...headers },
    ...(body === null ? {} : { body }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const nameOf = ({ method, path }: Documented) => `${method} ${path}`;

describe('whatever is sent', () => {
  it('is sent to every route that needs a key', () => {
    expect(operations.map(nameOf).toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  it('would be seen if it stored something', async () => {
    const before = commits();
    await h.core.publish(h.owner, { type: 'contact.created', data: {} });
    expect(commits()).not.toBe(before);
  });

  it.each(operations.map((operation) => ({ name: nameOf(operation), operation })))(
    '$name answers as documented, and what is refused stores nothing',
    async ({ operation }) => {
      const seen = new Set<string>();
      const theirs = await foreign();
      await fc.assert(
        fc.asyncProperty(requestsOf(operation, known, judged), async (request) => {
          const before = commits();
          const answered = await send(request);
          const stored = commits() !== before;
          expect({
            faults: judged.faults(operation, answered),
            failed: answered.status >= 500,
            taken: request.forbidden && !refusals.has(answered.status),
            stored: stored && (answered.status >= 400 || operation.method === 'GET'),
          }).toEqual({ faults: [], failed: false, taken: false, stored: false });
          seen.add(`${answered.status}${request.forbidden ? ' forbidden' : ''}`);
        }),
        { seed, numRuns: runsPerOperation },
      );
      const successes = Object.keys(operation.responses).filter((status) => status.startsWith('2'));
      expect([...seen]).toEqual(expect.arrayContaining([...successes, '422 forbidden']));
      expect(await foreign()).toBe(theirs);
      expect(h.logs.filter(({ level }) => level === 'error')).toEqual([]);
    },
  );

  it('without a key, with a wrong one or with one that lacks the scope is refused before it is read', async () => {
    const anyRequest = fc.constantFrom(...operations).chain((operation) => requestsOf(operation, known, judged));
    const wrong = fc.constantFrom('', 'Bearer', 'Basic a2V5', `Bearer ${adminKey}x`, `bearer ${lowlyKey}`, 'Bearer ¡');
    const theirs = await foreign();
    await fc.assert(
      fc.asyncProperty(anyRequest, wrong, async (request, authorization) => {
        const before = commits();
        const answered = await send(request, authorization);
        const isKnown = authorization.endsWith(lowlyKey);
        expect({
          faults: judged.faults(request.operation, answered),
          status: answered.status,
          // The first use of a key is noted.
          stored: commits() !== before && !isKnown,
        }).toEqual({ faults: [], status: isKnown ? 403 : 401, stored: false });
      }),
      { seed, numRuns: runsPerOperation },
    );
    expect(await foreign()).toBe(theirs);
  });
});
