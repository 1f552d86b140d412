import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Route } from '../../src/http/api/route.ts';
import { routes } from '../../src/http/api/routes.ts';
import { openApiDocument } from '../../src/http/openapi/document.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';

const adminKey = 'an-admin-key-of-more-than-32-characters';
const document = openApiDocument({ publicUrl: 'http://localhost', version: '0', brand: 'Brand', types: [] }) as {
  paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
};
const json = { 'content-type': 'application/json' };

let h: Harness;
let base = '';
let dispatching: Promise<void> | undefined;
const dispatch = () => (dispatching ??= h.posthorn.startDispatcher());
beforeAll(async () => {
  h = await startHarness({ environment: { PORT: '0', POSTHORN_ADMIN_KEY: adminKey } });
  base = (await h.posthorn.listen()).url;
});
afterAll(() => h.close());

interface Answered {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- what was answered is what the tests look into
  body: any;
}

/** Asks the server and holds its answer against the document: the status, and in a success every field. */
async function ask(
  method: string,
  path: string,
  body?: unknown,
  more: { key?: string; headers?: object } = {},
): Promise<Answered> {
  const { key = adminKey, headers = {} } = more;
  const response = await fetch(base + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : json), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const answered = { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
  const route = routeOf(method, path);
  const documented = document.paths[route.path]?.[method.toLowerCase()]?.responses ?? {};
  expect(Object.keys(documented)).toContain(String(answered.status));
  const schema = route.answers.find(({ status }) => status === answered.status)?.schema;
  expect(schema ? schema.parse(answered.body) : answered.body).toEqual(answered.body);
  return answered;
}

function routeOf(method: string, path: string): Route {
  const [bare = ''] = path.split('?');
  const route = routes.find((one) => {
    const pattern = new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
    return one.method === method && pattern.test(bare);
  });
  if (route === undefined) throw new Error(`${method} ${path} is not in the table`);
  return route;
}

const subscriptions = '/v1/webhooks/subscriptions';
const subscribe = (more: object = {}, headers: object = {}) =>
  ask(
    'POST',
    '/v1/webhooks/subscribe',
    { url: `${h.receiver.url}/hook`, events: ['contact.created'], ...more },
    { headers },
  );
const event = (id: string, more: object = {}) => ({ type: 'contact.created', data: { name: 'Ada' }, id, ...more });

describe('a subscription', () => {
  it('is made, read, changed, listed and deleted', async () => {
    const made = await subscribe({ description: 'mine' });
    expect(made).toMatchObject({ status: 201, body: { status: 'active', secret: expect.stringMatching(/^whsec_/) } });
    const path = `${subscriptions}/${made.body.id}`;
    const read = await ask('GET', path);
    expect(read.body).toMatchObject({ id: made.body.id, description: 'mine' });
    expect(JSON.stringify(read.body)).not.toContain(made.body.secret);
    const changed = await ask('PATCH', path, { status: 'paused', description: null });
    expect(changed).toMatchObject({ status: 200, body: { status: 'paused', description: null } });
    const listed = await ask('GET', `${subscriptions}?status=paused`);
    expect(listed.body.data.map(({ id }: { id: string }) => id)).toEqual([made.body.id]);
    expect(await ask('DELETE', path)).toMatchObject({ status: 204, body: null });
    const gone = await ask('GET', path);
    const never = await ask('GET', `${subscriptions}/sub_00000000000000000000000000`);
    expect(gone).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(never.body).toEqual(gone.body);
  });

  it('keeps the secret that was given, and shows it nowhere', async () => {
    const made = await subscribe({ secret: 'a-secret-of-mine' });
    const read = await ask('GET', `${subscriptions}/${made.body.id}`);
    expect(made.status).toBe(201);
    expect(JSON.stringify([made.body, read.body])).not.toContain('a-secret-of-mine');
  });

  it('made twice under one Idempotency-Key is made once, secret included', async () => {
    const headers = { 'Idempotency-Key': 'once' };
    const first = await subscribe({}, headers);
    const again = await subscribe({}, headers);
    expect([again.status, again.body]).toEqual([201, first.body]);
    const other = await subscribe({ events: ['*'] }, headers);
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
  });

  it.each([
    [{ events: ['contact.create'] }, 'unknown_event_type', '/events/0'],
    [{ events: [] }, 'validation_failed', '/events'],
    [{ url: 'http://169.254.169.254/latest' }, 'target_not_allowed', '/url'],
    [{ url: 'not a url' }, 'target_not_allowed', '/url'],
    [{ secret: 'short' }, 'validation_failed', '/secret'],
    [{ secret: 'whsec_AAAA' }, 'validation_failed', '/secret'],
    [{ status: 'active' }, 'validation_failed', '/status'],
  ])('with %j is refused and not stored', async (more, code, path) => {
    const count = async () => (await ask('GET', `${subscriptions}?limit=200`)).body.data.length;
    const before = await count();
    const answered = await subscribe(more);
    expect(answered).toMatchObject({ status: 422, body: { code, errors: [{ path }] } });
    expect(JSON.stringify(answered.body)).not.toContain('169.254');
    expect(await count()).toBe(before);
  });

  it('is tested now, and the test is in its log', async () => {
    const { body } = await subscribe({ url: `${h.receiver.url}/failing` });
    h.receiver.respond(({ path }, response) => response.writeHead(path === '/failing' ? 503 : 204).end());
    const tested = await ask('POST', `${subscriptions}/${body.id}/test`);
    expect(tested).toMatchObject({ status: 200, body: { is_test: true, status: 'failed', response_code: 503 } });
    const log = await ask('GET', `${subscriptions}/${body.id}/logs`);
    expect(log.body.data).toEqual([tested.body]);
    expect((await ask('GET', `${subscriptions}/${body.id}`)).body.failure_count).toBe(0);
  });
});

describe('publishing', () => {
  it('answers 202, the same again 200, another under the same id 409', async () => {
    const first = await ask('POST', '/v1/events', event('evt-a'));
    const again = await ask('POST', '/v1/events', event('evt-a'));
    const other = await ask('POST', '/v1/events', event('evt-a', { data: { name: 'Grace' } }));
    expect([first.status, first.body.id]).toEqual([202, 'evt-a']);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect(other).toMatchObject({ status: 409, body: { code: 'event_id_conflict' } });
  });

  it('takes an array whole', async () => {
    const events = Array.from({ length: 1_000 }, (_, index) => event(`many-${index}`));
    const many = await ask('POST', '/v1/events', events);
    expect([many.status, many.body.data.length, many.body.data[999].id]).toEqual([202, 1_000, 'many-999']);
    expect((await ask('POST', '/v1/events', events.slice(0, 2))).status).toBe(200);
  });

  it.each([
    [
      'one wrong of two',
      [event('half-1'), event('half-2', { type: 'contact.create' })],
      'unknown_event_type',
      '/1/type',
    ],
    ['one with an unknown field', [event('half-1'), event('half-2', { colour: 1 })], 'validation_failed', '/1/colour'],
    ['one that is none', [event('half-1'), 5], 'validation_failed', '/1'],
    ['an empty array', [], 'validation_failed', ''],
    ['one too many', Array.from({ length: 1_001 }, () => event('half-1')), 'validation_failed', ''],
    ['data that is no object', event('half-1', { data: [] }), 'validation_failed', '/data'],
    ['an id that is none', event('half 1'), 'validation_failed', '/id'],
  ])('or not at all: %s', async (_, body, code, path) => {
    expect(await ask('POST', '/v1/events', body)).toMatchObject({ status: 422, body: { code, errors: [{ path }] } });
    expect((await ask('GET', '/v1/events/half-1')).status).toBe(404);
  });

  it('refuses an event over 256 KiB and takes one within', async () => {
    const limit = 256 * 1024;
    const sized = (id: string, bytes: number) =>
      event(id, { data: { text: 'x'.repeat(bytes - '{"text":""}'.length) } });
    expect((await ask('POST', '/v1/events', sized('large-1', limit))).status).toBe(202);
    expect(await ask('POST', '/v1/events', sized('large-2', limit + 1))).toMatchObject({
      status: 413,
      body: { code: 'payload_too_large', errors: [{ path: '/data' }] },
    });
  });

  it('loses no key named __proto__', async () => {
    await ask('POST', '/v1/events', '{"type":"contact.created","id":"proto","data":{"__proto__":{"a":1}}}');
    const response = await fetch(`${base}/v1/events/proto`, { headers: { authorization: `Bearer ${adminKey}` } });
    expect(await response.text()).toContain('"data":{"__proto__":{"a":1}}');
  });

  it('is read back with its deliveries, and delivered', async () => {
    const { body: made } = await subscribe({ events: ['form.submitted'] });
    await dispatch();
    await ask('POST', '/v1/events', event('read-1', { type: 'form.submitted' }));
    const path = `/v1/deliveries?endpoint_id=${made.id}&status=succeeded`;
    await until(async () => (await ask('GET', path)).body.data.length === 1);
    const [delivery] = (await ask('GET', path)).body.data;
    expect((await ask('GET', '/v1/events/read-1')).body).toMatchObject({
      data: { name: 'Ada' },
      deliveries: [delivery],
    });
    expect((await ask('GET', `/v1/deliveries/${delivery.id}`)).body).toEqual(delivery);
    expect((await ask('GET', '/v1/deliveries?endpoint_id=sub_none')).status).toBe(404);
  });
});

describe('lists', () => {
  it('go on where the page before ended', async () => {
    await ask('POST', '/v1/events', [event('page-1'), event('page-2'), event('page-3')]);
    const ids: string[] = [];
    let cursor = '';
    while (ids.length < 3) {
      const { body } = await ask('GET', `/v1/events?limit=1${cursor}`);
      ids.push(body.data[0].id);
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(ids).toEqual(['page-3', 'page-2', 'page-1']);
  });

  it.each(['/v1/events', '/v1/deliveries', '/v1/event-types', '/v1/keys', subscriptions])(
    '%s refuses a cursor of its own making',
    async (path) => {
      expect(await ask('GET', `${path}?cursor=abc`)).toMatchObject({
        status: 422,
        body: { errors: [{ path: '/cursor' }] },
      });
      expect((await ask('GET', `${path}?limit=1`)).body.data.length).toBeLessThan(2);
    },
  );

  it('/v1/event-types shows the catalogue', async () => {
    const { body } = await ask('GET', '/v1/event-types');
    expect(body.data.map(({ name }: { name: string }) => name)).toContain('opportunity.updated');
  });
});

describe('keys', () => {
  const makeKey = async (...scopes: string[]) => (await ask('POST', '/v1/keys', { name: 'test', scopes })).body;

  it('open what their scopes say until they are revoked', async () => {
    const { id, key } = await makeKey('events:read');
    expect((await ask('GET', '/v1/events', undefined, { key })).status).toBe(200);
    expect(await ask('GET', subscriptions, undefined, { key })).toMatchObject({
      status: 403,
      body: { detail: 'This needs the scope webhooks:read.' },
    });
    expect(JSON.stringify((await ask('GET', '/v1/keys')).body)).not.toContain(key);
    expect((await ask('DELETE', `/v1/keys/${id}`)).status).toBe(204);
    expect((await ask('GET', '/v1/events', undefined, { key })).status).toBe(401);
  });

  it('grant only scopes that they hold', async () => {
    const { key } = await makeKey('keys:admin');
    const answered = await ask(
      'POST',
      '/v1/keys',
      { name: 'more', scopes: ['keys:admin', 'webhooks:approve', 'events:read'] },
      { key },
    );
    expect(answered).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    expect(answered.headers.get('www-authenticate')).toContain('scope="events:read webhooks:approve"');
  });

  it('show payloads only with payloads:read', async () => {
    await ask('POST', '/v1/events', event('private-1'));
    const { body } = await subscribe();
    const { key } = await makeKey('events:read', 'webhooks:read');
    const { key: trusted } = await makeKey('events:read', 'webhooks:read', 'payloads:read');
    const logs = `${subscriptions}/${body.id}/logs?include=untrusted_response`;
    expect((await ask('GET', '/v1/events/private-1', undefined, { key })).body).not.toHaveProperty('data');
    expect((await ask('GET', '/v1/events/private-1', undefined, { key: trusted })).body.data).toEqual({ name: 'Ada' });
    const refused = await ask('GET', logs, undefined, { key });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toContain('scope="payloads:read"');
    expect((await ask('GET', logs, undefined, { key: trusted })).status).toBe(200);
  });

  it('of another workspace find nothing', async () => {
    await h.posthorn.operator.createWorkspace('other');
    const stranger = await h.posthorn.operator.principal('other');
    const { key } = await h.core.createKey(stranger, { name: 'stranger', scopes: [...stranger.scopes] });
    const { body: made } = await subscribe();
    await ask('POST', '/v1/events', event('foreign-1'));
    const { body: page } = await ask('GET', '/v1/keys?limit=1');
    const paths: [string, string][] = [
      ['GET', `${subscriptions}/${made.id}`],
      ['PATCH', `${subscriptions}/${made.id}`],
      ['DELETE', `${subscriptions}/${made.id}`],
      ['POST', `${subscriptions}/${made.id}/test`],
      ['GET', `${subscriptions}/${made.id}/logs`],
      ['GET', '/v1/events/foreign-1'],
      ['DELETE', `/v1/keys/${page.data[0]?.id ?? 'key_none'}`],
    ];
    for (const [method, path] of paths) {
      expect([path, (await ask(method, path, undefined, { key })).status]).toEqual([path, 404]);
    }
    expect((await ask('GET', subscriptions, undefined, { key })).body).toEqual({ data: [], next_cursor: null });
    expect((await ask('GET', `${subscriptions}/${made.id}`)).status).toBe(200);
  });
});

describe('health', () => {
  it('is ready while the dispatcher beats', async () => {
    await dispatch();
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    await until(async () => (await fetch(`${base}/readyz`)).status === 200);
  });
});

describe('what people change about deliveries', () => {
  it('rotates a secret, replays, retries, erases and keeps a catalogue over REST', async () => {
    await dispatch();
    const { body: made } = await ask('POST', '/v1/webhooks/subscribe', {
      url: `${h.receiver.url}/r`,
      events: ['order.*'],
    });
    expect(made.code).toBe('unknown_event_type');
    const put = { description: 'An order was paid.', example: { total: 1 }, name: 'order.paid' };
    expect((await ask('PUT', '/v1/event-types/order.paid', put)).status).toBe(200);
    const { body: subscription } = await ask('POST', '/v1/webhooks/subscribe', {
      url: `${h.receiver.url}/r`,
      events: ['order.*'],
    });
    const path = `/v1/webhooks/subscriptions/${subscription.id}`;
    const { body: rotated } = await ask('POST', `${path}/rotate-secret`, { overlap: '1h' });
    expect(rotated.secret).toMatch(/^whsec_/);
    expect((await ask('POST', `${path}/rotate-secret`)).body.secret).not.toBe(rotated.secret);
    await ask('POST', '/v1/events', { type: 'order.paid', data: {}, id: 'order-1' });
    await until(async () => (await ask('GET', '/v1/events/order-1')).body.deliveries[0].status === 'succeeded');
    const [delivery] = (await ask('GET', '/v1/events/order-1')).body.deliveries;
    expect((await ask('POST', `/v1/deliveries/${delivery.id}/retry`)).body.id).toBe(delivery.id);
    await until(async () => (await ask('GET', `/v1/deliveries/${delivery.id}`)).body.attempts === 2);
    const { body: log } = await ask(
      'GET',
      `/v1/webhooks/logs?endpoint_id=${subscription.id}&is_test=false&event_type=order.paid`,
    );
    expect(log.data.map((row: { attempt: number }) => row.attempt)).toEqual([2, 1]);
    const { body: replayed } = await ask('POST', `${path}/replay`, { since: '2026-01-01T00:00:00Z', status: 'all' });
    expect(replayed).toEqual({ queued: 1, next_since: null });
    expect((await ask('DELETE', '/v1/events/order-1/data')).status).toBe(204);
    expect((await ask('GET', '/v1/events/order-1')).body.data).toBeNull();
    expect((await ask('POST', `${path}/approve`)).body.status).toBe('active');
    expect((await ask('DELETE', '/v1/event-types/order.paid')).status).toBe(204);
    expect((await ask('DELETE', '/v1/event-types/order.paid')).body.code).toBe('not_found');
    expect((await ask('DELETE', '/v1/event-types/contact.created')).body.code).toBe('built_in');
  });
});
