import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCases } from './cases.ts';
import { type Rest, startRest } from './rest.ts';

let rest: Rest;
let open: ReturnType<typeof makeCases>;
beforeAll(async () => {
  rest = await startRest();
  open = makeCases(rest);
  await rest.h.posthorn.startDispatcher();
});
afterAll(() => rest.close());

const publish = (body: unknown) => rest.ask('POST', '/v1/events', body);
const read = (id: string, key?: string) =>
  rest.ask('GET', `/v1/events/${id}`, undefined, key === undefined ? {} : { key });

describe('publishing', () => {
  it('answers 202 with an id and how many deliveries there are', async () => {
    const one = await open();
    const { status, body } = await publish({ type: one.type, data: {} });
    expect([status, body]).toEqual([202, { id: expect.stringMatching(/^evt_[0-9a-z]{26}$/), deliveries: 1 }]);
    await one.log(1);
    expect(one.sent()).toEqual([body.id]);
  });

  it('the same id again answers 200 with the first answer, and delivers nothing twice', async () => {
    const one = await open();
    const event = { type: one.type, data: { a: [1, { b: 2 }] }, id: 'again' };
    const first = await publish(event);
    await one.log(1);
    // By now there are two subscriptions that want it.
    await rest.subscribe({ events: [one.type] });
    const again = await publish(event);
    expect([first.status, again.status, again.body]).toEqual([202, 200, first.body]);
    await publish({ ...event, id: 'another' });
    await one.log(2);
    expect(one.sent()).toEqual(['again', 'another']);
  });

  it('the same id ten times at once is stored once', async () => {
    const one = await open();
    const event = { type: one.type, data: {}, id: 'at-once' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => publish(event)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([...Array<number>(9).fill(200), 202]);
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['{"id":"at-once","deliveries":1}']));
    await one.log(1);
    expect((await read('at-once')).body.deliveries).toHaveLength(1);
  });

  it.each([
    ['type', { type: 'task.created' }],
    ['data', { data: { a: 2 } }],
  ])('the same id with other %s is a conflict, and the first stays', async (field, other) => {
    const event = { type: 'contact.created', data: { a: 1 }, id: `taken-${field}` };
    await publish(event);
    const refused = await publish({ ...event, ...other });
    expect(refused).toMatchObject({ status: 409, body: { code: 'event_id_conflict', errors: [{ path: '/id' }] } });
    expect((await read(event.id)).body).toMatchObject({ type: 'contact.created', data: { a: 1 } });
  });

  it('of an unknown type is refused with the nearest names', async () => {
    const refused = await publish({ type: 'contact.create', data: {}, id: 'unknown' });
    expect(refused).toMatchObject({ status: 422, body: { code: 'unknown_event_type', errors: [{ path: '/type' }] } });
    expect(refused.body.detail).toContain('contact.created');
    expect((await read('unknown')).status).toBe(404);
  });

  it('keeps the time that it was given', async () => {
    const { body } = await publish({ type: 'task.created', data: {}, occurred_at: '2026-01-02T03:04:05+02:00' });
    expect((await read(body.id)).body).toMatchObject({
      occurred_at: '2026-01-02T01:04:05.000Z',
      created_at: '2026-11-23T10:00:00.000Z',
    });
  });
});

describe('an array of events', () => {
  const event = (nth: number, more: object = {}) => ({
    type: 'contact.created',
    data: { nth },
    id: `array-${nth}`,
    ...more,
  });

  it('is taken whole or not at all, and what is wrong is named by its place', async () => {
    const events = Array.from({ length: 20 }, (_, nth) => event(nth, nth === 17 ? { type: 'contact.create' } : {}));
    const refused = await publish(events);
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'unknown_event_type', errors: [{ path: '/17/type' }] },
    });
    expect((await read('array-0')).status).toBe(404);
    const taken = await publish(events.map((one) => ({ ...one, type: 'contact.created' })));
    expect([taken.status, taken.body.data.map(({ id }: { id: string }) => id)]).toEqual([
      202,
      events.map(({ id }) => id),
    ]);
  });

  it('names all that is wrong at once', async () => {
    const refused = await publish([event(100), event(101, { data: 1 }), event(102, { surprise: 1 }), 5]);
    const paths = refused.body.errors.map(({ path }: { path: string }) => path);
    expect([refused.status, paths]).toEqual([422, ['/1/data', '/2/surprise', '/3']]);
  });

  it('answers 200 when all of it was published before, 202 when some was, 409 when one is another', async () => {
    const [a, b, c] = [event(200), event(201), event(202)];
    expect((await publish([a, b])).status).toBe(202);
    expect((await publish([b, a])).status).toBe(200);
    expect((await publish([a, c])).status).toBe(202);
    const refused = await publish([event(203), { ...a, data: {} }]);
    expect(refused).toMatchObject({ status: 409, body: { code: 'event_id_conflict', errors: [{ path: '/1/id' }] } });
    expect((await read('array-203')).status).toBe(404);
  });
});

describe('what was published', () => {
  it('shows its data only to a key with payloads:read', async () => {
    await publish({ type: 'contact.created', data: { secret: 'of Ada' }, id: 'private' });
    const plain = await rest.makeKey('events:read');
    const trusted = await rest.makeKey('events:read', 'payloads:read');
    expect((await read('private', plain)).text).not.toContain('Ada');
    expect((await rest.ask('GET', '/v1/events', undefined, { key: plain })).text).not.toContain('Ada');
    expect((await read('private', trusted)).body.data).toEqual({ secret: 'of Ada' });
  });

  it('can be erased: the log stays, what is pending is canceled', async () => {
    const one = await open((_request, response) => response.writeHead(500).end());
    await one.publish('erased');
    const log = await one.log(1);
    expect((await rest.ask('DELETE', '/v1/events/erased/data')).status).toBe(204);
    const { body } = await read('erased');
    expect(body).toMatchObject({ data: null, deliveries: [{ status: 'canceled', next_attempt_at: null }] });
    expect((await one.log(1)).map(({ id }) => id)).toEqual(log.map(({ id }) => id));
    expect((await one.show()).pending_count).toBe(0);
    const retry = await rest.ask('POST', `/v1/deliveries/${body.deliveries[0].id}/retry`);
    expect(retry).toMatchObject({ status: 409, body: { code: 'not_retryable' } });
  });

  it('has deliveries that can be listed by status and endpoint, read, and retried now', async () => {
    const one = await open((_request, response, nth) => response.writeHead(nth === 0 ? 204 : 500).end());
    await one.publish('retried');
    await one.log(1);
    const list = async (query: string) =>
      (await rest.ask('GET', `/v1/deliveries?endpoint_id=${one.id}${query}`)).body.data;
    const [delivery] = await list('');
    expect(delivery).toEqual({
      id: expect.stringMatching(/^dlv_/),
      event_id: 'retried',
      event_type: one.type,
      endpoint_id: one.id,
      status: 'pending',
      attempts: 1,
      next_attempt_at: expect.stringMatching(/Z$/),
      last_error: 'http_5xx',
      created_at: expect.stringMatching(/Z$/),
    });
    expect([(await list('&status=pending')).length, (await list('&status=failed')).length]).toEqual([1, 0]);
    expect((await rest.ask('GET', `/v1/deliveries/${delivery.id}`)).body).toEqual(delivery);
    one.respond((_request, response) => response.writeHead(204).end());
    expect((await rest.ask('POST', `/v1/deliveries/${delivery.id}/retry`)).status).toBe(200);
    expect((await one.log(2))[0]).toMatchObject({ attempt: 2, status: 'succeeded', delivery_id: delivery.id });
    expect((await list('&status=succeeded')).map(({ id }: { id: string }) => id)).toEqual([delivery.id]);
  });
});

describe('the catalogue', () => {
  const put = (name: string, more: object = {}) =>
    rest.ask('PUT', `/v1/event-types/${name}`, { description: 'An order was paid.', example: { total: 1 }, ...more });

  it('takes types of its own, which are then chosen, published and sampled, and gives them up again', async () => {
    const schema = { type: 'object', properties: { total: { type: 'number' } } };
    const type = { name: 'order.paid', description: 'An order was paid.', schema, example: { total: 1 } };
    expect((await rest.publish({ type: 'order.paid' })).status).toBe(422);
    expect((await put('order.paid', { name: 'order.paid', schema })).body).toEqual({
      ...type,
      validation: 'off',
      built_in: false,
    });
    const { body } = await rest.ask('GET', '/v1/event-types?limit=200');
    expect(body.data).toContainEqual({ ...type, validation: 'off', built_in: false });
    expect((await rest.subscribe({ events: ['order.*'] })).status).toBe(201);
    expect((await rest.publish({ type: 'order.paid' })).body.deliveries).toBe(1);
    expect((await rest.ask('DELETE', '/v1/event-types/order.paid')).status).toBe(204);
    expect((await rest.publish({ type: 'order.paid' })).status).toBe(422);
    expect((await rest.ask('DELETE', '/v1/event-types/order.paid')).status).toBe(404);
  });

  it('refuses a body that names another type than the path, and names that are none', async () => {
    expect(await put('order.one', { name: 'order.two' })).toMatchObject({
      status: 422,
      body: { errors: [{ path: '/name' }] },
    });
    for (const name of ['Order.Paid', 'order..paid', 'order-paid', '.paid', 'x'.repeat(129)]) {
      expect([name, (await put(name)).status]).toEqual([name, 422]);
    }
  });

  it('changes a built-in type and gives it back, but never takes it away', async () => {
    expect((await put('task.created')).body).toMatchObject({ description: 'An order was paid.', built_in: true });
    expect((await rest.ask('DELETE', '/v1/event-types/task.created')).status).toBe(204);
    const refused = await rest.ask('DELETE', '/v1/event-types/task.created');
    expect(refused).toMatchObject({ status: 409, body: { code: 'built_in' } });
    expect((await rest.publish({ type: 'task.created' })).status).toBe(202);
  });
});

describe('a rate of publishing', () => {
  it('is held for each key, counts every event of an array, and says when to come back', async () => {
    const slow = await startRest({ environment: { POSTHORN_PUBLISH_RATE: '4' } });
    const { ask } = slow;
    const [ann, bob] = [await slow.makeKey('events:write'), await slow.makeKey('events:write')];
    const event = { type: 'contact.created', data: {} };
    const statusOf = async (key: string, body: unknown) => (await ask('POST', '/v1/events', body, { key })).status;
    expect(await statusOf(ann, [event, event, event])).toBe(202);
    const refused = await ask('POST', '/v1/events', [event, { ...event, id: 'refused' }], { key: ann });
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      429,
      'rate_limited',
      '15',
    ]);
    expect((await ask('GET', '/v1/events/refused')).status).toBe(404);
    expect(await statusOf(bob, event)).toBe(202);
    await slow.pass(14_999);
    expect(await statusOf(ann, [event, event])).toBe(429);
    await slow.pass(1);
    expect(await statusOf(ann, [event, event])).toBe(202);
    await slow.close();
  });
});
