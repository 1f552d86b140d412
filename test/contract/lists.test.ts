import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminKey, configs, type Rest, startRest, subscriptions } from './rest.ts';

/** Rows of the audit log have no id but their place. */
type Row = { id: string } | { seq: number };
const idOf = (row: Row) => ('id' in row ? row.id : String(row.seq));

let rest: Rest;
let id = '';
let configId = '';
beforeAll(async () => {
  rest = await startRest();
  ({
    body: { id },
  } = await rest.subscribe());
  configId = (await rest.ask('POST', configs, { name: 'logged', url: rest.h.receiver.url })).body.id;
  for (const add of Object.values(adding)) for (let nth = 0; nth < 3; nth++) await add();
});
afterAll(() => rest.close());

/** Every list whose rows have ids and grow, and how one more row gets into it. */
const adding: Record<string, () => Promise<unknown>> = {
  '/v1/events': () => rest.publish(),
  '/v1/deliveries': () => rest.publish(),
  [subscriptions]: () => rest.subscribe(),
  '/v1/webhooks/logs': () => rest.ask('POST', `${subscriptions}/${id}/test`),
  '/v1/webhooks/subscriptions/{id}/logs': () => rest.ask('POST', `${subscriptions}/${id}/test`),
  [configs]: () => rest.ask('POST', configs, { name: 'one', url: rest.h.receiver.url }),
  '/v1/webhooks/configs/{id}/logs': () => rest.ask('POST', `${configs}/${configId}/test`),
  '/v1/automations': () =>
    rest.ask('POST', '/v1/automations', {
      name: 'one',
      trigger_event: '*',
      actions: [{ type: 'webhook', config_id: configId }],
    }),
  '/v1/keys': () => rest.makeKey('events:read'),
  '/v1/audit': () => rest.makeKey('events:read'),
};
const pathOf = (list: string) => list.replace('{id}', list.startsWith(configs) ? configId : id);
const pageOf = async (list: string, query: string) => (await rest.ask('GET', `${pathOf(list)}?${query}`)).body;
const idsOf = async (list: string, query: string): Promise<string[]> => (await pageOf(list, query)).data.map(idOf);

describe('every list', () => {
  it('is tried here', () => {
    const lists = rest.judged.operations.filter(({ parameters = [] }) =>
      parameters.some(({ name }) => name === 'cursor'),
    );
    const tried = [...Object.keys(adding), '/v1/event-types'];
    expect(lists.map(({ path }) => path).toSorted()).toEqual(tried.toSorted());
  });

  it('answers 50 rows where no limit is given', async () => {
    const limits = rest.judged.operations.flatMap(({ parameters = [] }) =>
      parameters.filter(({ name }) => name === 'limit'),
    );
    expect(new Set(limits.map(({ schema }) => schema?.['default']))).toEqual(new Set([50]));
    for (let nth = 0; nth < 51; nth++) {
      await rest.ask('PUT', `/v1/event-types/fifty.type_${nth}`, { description: 'One of many.', example: {} });
    }
    expect((await pageOf('/v1/event-types', '')).data).toHaveLength(50);
  });

  it.each(Object.keys(adding))('%s is newest first, and its cursors stay while rows are added', async (list) => {
    const before = await idsOf(list, 'limit=200');
    expect(before.length).toBeGreaterThanOrEqual(3);
    const first = await pageOf(list, 'limit=2');
    await adding[list]?.();
    const second = await pageOf(list, `limit=2&cursor=${first.next_cursor}`);
    const again = await pageOf(list, `limit=2&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data].map(idOf)).toEqual(before.slice(0, 4));
    expect(again.data).toEqual(second.data);
    const after = await idsOf(list, 'limit=200');
    expect(before).not.toContain(after[0]);
    expect(after.slice(-before.length)).toEqual(before);
  });

  it.each(Object.keys(adding))(
    '%s ends with a page whose next_cursor is null, and misses and repeats nothing',
    async (list) => {
      const all = await idsOf(list, 'limit=200');
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await pageOf(list, `limit=1${cursor === null ? '' : `&cursor=${cursor}`}`);
        seen.push(...page.data.map(idOf));
        cursor = page.next_cursor;
      } while (cursor !== null);
      expect(seen).toEqual(all);
    },
  );

  it('of event types goes on by its cursor too', async () => {
    const all = (await pageOf('/v1/event-types', 'limit=200')).data;
    const first = await pageOf('/v1/event-types', 'limit=5');
    const second = await pageOf('/v1/event-types', `limit=200&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data]).toEqual(all);
    expect(second.next_cursor).toBeNull();
  });

  it.each([...Object.keys(adding), '/v1/event-types'])('%s takes a limit of 1 to 200', async (list) => {
    const statusOf = async (query: string) => (await rest.ask('GET', `${pathOf(list)}?${query}`)).status;
    const statuses = await Promise.all(['limit=1', 'limit=200', 'limit=0', 'limit=201', 'limit=ten'].map(statusOf));
    expect(statuses).toEqual([200, 200, 422, 422, 422]);
    expect((await pageOf(list, 'limit=1')).data).toHaveLength(1);
  });

  it.each([...Object.keys(adding), '/v1/event-types'])('%s refuses a cursor that it did not make', async (list) => {
    for (const cursor of ['abc', '1', '%20', 'cjF4', 'x'.repeat(201)]) {
      const refused = await rest.ask('GET', `${pathOf(list)}?cursor=${cursor}`);
      expect(refused).toMatchObject({
        status: 422,
        body: { code: 'validation_failed', errors: [{ path: '/cursor' }] },
      });
    }
  });
});

describe('a page', () => {
  it('has 50 rows unless told', async () => {
    const events = Array.from({ length: 60 }, () => ({ type: 'task.created', data: {} }));
    await rest.ask('POST', '/v1/events', events);
    const page = await pageOf('/v1/events', 'event_type=task.created');
    expect([page.data.length, typeof page.next_cursor]).toEqual([50, 'string']);
    const last = await pageOf('/v1/events', `event_type=task.created&cursor=${page.next_cursor}`);
    expect([last.data.length, last.next_cursor]).toEqual([10, null]);
  });
});

describe('HEAD', () => {
  it('answers for every GET route what GET answers, without the body', async () => {
    const { data } = await pageOf('/v1/deliveries', 'limit=1');
    const known: Record<string, string> = { deliveries: data[0].id, events: data[0].event_id, subscriptions: id };
    const gets = rest.judged.operations.filter(({ method }) => method === 'GET');
    const answers = await Promise.all(
      gets.map(async ({ path }) => {
        const kind = Object.keys(known).find((name) => path.includes(`/${name}/{id}`)) ?? '';
        const real = path.replace('{id}', known[kind] ?? '');
        const headers = { authorization: `Bearer ${adminKey}` };
        const [get, head] = await Promise.all([
          fetch(rest.base + real, { headers }),
          fetch(rest.base + real, { method: 'HEAD', headers }),
        ]);
        const shown = (answer: Response) => [answer.status, answer.headers.get('content-type')];
        return { path, same: shown(get).join() === shown(head).join(), body: await head.text() };
      }),
    );
    expect(answers.length).toBeGreaterThan(10);
    expect(answers.filter(({ same, body }) => !same || body !== '')).toEqual([]);
  });
});
