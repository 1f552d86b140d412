import { describe, expect, it } from 'vitest';
import type { Route } from '../../src/http/api/route.ts';
import { routes } from '../../src/http/api/routes.ts';
import { scopes } from '../../src/core/vocabulary.ts';
import { fakeApp, keyWith, problemOf } from './fake-core.ts';

const pathOf = (route: Route) => route.path.replaceAll(/\{\w+\}/g, 'id_1');
const table = routes.map((route) => ({ name: `${route.method} ${route.path}`, route }));

describe('the table of routes', () => {
  it('is what was promised', () => {
    const pinned = routes.map(
      (route) => `${route.method} ${route.path} ${route.scope} ${route.answers.map((one) => one.status).join()}`,
    );
    expect(pinned).toEqual([
      'POST /v1/events events:write 202,200',
      'GET /v1/events events:read 200',
      'GET /v1/events/{id} events:read 200',
      'DELETE /v1/events/{id}/data webhooks:write 204',
      'POST /v1/webhooks/subscribe webhooks:write 201',
      'GET /v1/webhooks/subscriptions webhooks:read 200',
      'GET /v1/webhooks/subscriptions/{id} webhooks:read 200',
      'PATCH /v1/webhooks/subscriptions/{id} webhooks:write 200',
      'DELETE /v1/webhooks/subscriptions/{id} webhooks:delete 204',
      'GET /v1/webhooks/logs webhooks:read 200',
      'POST /v1/webhooks/subscriptions/{id}/test webhooks:write 200',
      'POST /v1/webhooks/subscriptions/{id}/rotate-secret webhooks:write 200',
      'POST /v1/webhooks/subscriptions/{id}/replay webhooks:write 200',
      'POST /v1/webhooks/subscriptions/{id}/approve webhooks:approve 200',
      'GET /v1/webhooks/subscriptions/{id}/logs webhooks:read 200',
      'POST /v1/webhooks/configs webhooks:write 201',
      'GET /v1/webhooks/configs webhooks:read 200',
      'GET /v1/webhooks/configs/{id} webhooks:read 200',
      'PATCH /v1/webhooks/configs/{id} webhooks:write 200',
      'DELETE /v1/webhooks/configs/{id} webhooks:delete 204',
      'POST /v1/webhooks/configs/{id}/test webhooks:write 200',
      'POST /v1/webhooks/configs/{id}/rotate-secret webhooks:write 200',
      'POST /v1/webhooks/configs/{id}/replay webhooks:write 200',
      'POST /v1/webhooks/configs/{id}/approve webhooks:approve 200',
      'GET /v1/webhooks/configs/{id}/logs webhooks:read 200',
      'POST /v1/automations webhooks:write 201',
      'GET /v1/automations webhooks:read 200',
      'GET /v1/automations/{id} webhooks:read 200',
      'PATCH /v1/automations/{id} webhooks:write 200',
      'DELETE /v1/automations/{id} webhooks:delete 204',
      'POST /v1/automations/{id}/dry-run webhooks:write 200',
      'GET /v1/deliveries webhooks:read 200',
      'GET /v1/deliveries/{id} webhooks:read 200',
      'POST /v1/deliveries/{id}/retry webhooks:write 200',
      'GET /v1/statistics webhooks:read 200',
      'GET /v1/webhooks/failing webhooks:read 200',
      'GET /v1/webhooks/missed webhooks:read 200',
      'GET /v1/webhooks/logs/{id} webhooks:read 200',
      'GET /v1/deliveries/{id}/attempts webhooks:read 200',
      'GET /v1/event-types webhooks:read 200',
      'PUT /v1/event-types/{name} webhooks:write 200',
      'DELETE /v1/event-types/{name} webhooks:write 204',
      'POST /v1/conditions/dry-run webhooks:write 200',
      'GET /v1/keys keys:admin 200',
      'POST /v1/keys keys:admin 201',
      'DELETE /v1/keys/{id} keys:admin 204',
      'GET /v1/audit keys:admin 200',
    ]);
  });

  it.each(table)('$name answers 401 without a key, and tells how to send one', async ({ route }) => {
    const { ask, calls } = fakeApp();
    const response = await ask(route.method, pathOf(route), { key: null });
    expect(response.headers.get('www-authenticate')).toBe(`Bearer realm="TrustPager", scope="${route.scope}"`);
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'unauthorized' });
    expect(calls).toEqual([]);
  });

  it.each(table)('$name answers 401 to a key that is not known', async ({ route }) => {
    const { ask, calls } = fakeApp();
    const response = await ask(route.method, pathOf(route), { key: 'tp_live_wrong' });
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'unauthorized' });
    expect(calls).toEqual([]);
  });

  it.each(table)('$name answers 403 to a key without its scope, and names it', async ({ route }) => {
    const { ask, calls } = fakeApp();
    const others = scopes.filter((scope) => scope !== route.scope);
    const response = await ask(route.method, pathOf(route), { key: keyWith(...others) });
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="TrustPager", error="insufficient_scope", scope="${route.scope}"`,
    );
    expect(await response.json()).toMatchObject({
      code: 'insufficient_scope',
      detail: `This needs the scope ${route.scope}.`,
    });
    expect(calls).toEqual([]);
  });

  it.each(table)('$name reads no body for a key without its scope', async ({ route }) => {
    const { ask } = fakeApp();
    const body = route.method === 'GET' ? {} : { body: 'not json' };
    const response = await ask(route.method, pathOf(route), { key: keyWith(), ...body });
    expect(response.status).toBe(403);
  });

  it.each(table)('$name refuses a query parameter that nobody knows', async ({ route }) => {
    const { ask, calls } = fakeApp();
    const response = await ask(route.method, `${pathOf(route)}?surprise=1`);
    expect(await problemOf(response)).toEqual({ status: 422, code: 'validation_failed', paths: ['/surprise'] });
    expect(calls).toEqual([]);
  });
});

describe('answers', () => {
  it('carry the status of the table and what core answered', async () => {
    const { ask } = fakeApp({ createSubscription: { id: 'sub_1' }, getSubscription: { id: 'sub_2' } });
    const created = await ask('POST', '/v1/webhooks/subscribe', {
      body: JSON.stringify({ url: 'https://example.com', events: ['*'] }),
    });
    const read = await ask('GET', '/v1/webhooks/subscriptions/sub_2');
    const deleted = await ask('DELETE', '/v1/webhooks/subscriptions/sub_2');
    expect([created.status, await created.json()]).toEqual([201, { id: 'sub_1' }]);
    expect([read.status, await read.json()]).toEqual([200, { id: 'sub_2' }]);
    expect([deleted.status, await deleted.text()]).toEqual([204, '']);
  });

  it('are JSON that nobody may keep or sniff, each with a request id of its own', async () => {
    const { ask } = fakeApp({ getSubscription: { id: 'sub_2' } });
    const first = await ask('GET', '/v1/webhooks/subscriptions/sub_2');
    const second = await ask('GET', '/v1/webhooks/subscriptions/sub_2');
    const { 'x-request-id': id, ...rest } = Object.fromEntries(first.headers);
    expect(rest).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.headers.get('x-request-id')).not.toBe(id);
  });

  it('to HEAD are those to GET without the body', async () => {
    const { ask } = fakeApp({ getSubscription: { id: 'sub_2' } });
    const response = await ask('HEAD', '/v1/webhooks/subscriptions/sub_2');
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(response.headers.get('content-type')).toBe('application/json');
  });
});

describe('paths and methods', () => {
  it.each(['/v1', '/v2/events', '/v1/events/', '/v1/events/a/b', '/V1/events', '/favicon.ico'])(
    '%s is not found',
    async (path) => {
      const { ask } = fakeApp();
      const response = await ask('GET', path, { key: null });
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(await problemOf(response)).toEqual({ status: 404, code: 'not_found', paths: [] });
    },
  );

  it.each([
    ['DELETE', '/v1/events', 'GET, HEAD, POST'],
    ['GET', '/v1/webhooks/subscribe', 'POST'],
    ['HEAD', '/v1/webhooks/subscribe', 'POST'],
    ['PUT', '/v1/webhooks/subscriptions/sub_1', 'GET, HEAD, PATCH, DELETE'],
    ['OPTIONS', '/v1/keys', 'GET, HEAD, POST'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['PUT', '/mcp', 'GET, HEAD, POST, DELETE'],
  ])('%s %s is not allowed', async (method, path, allow) => {
    const { ask } = fakeApp();
    const response = await ask(method, path);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
  });

  it('an id that no row can have is not found', async () => {
    const { ask, calls } = fakeApp();
    const response = await ask('GET', `/v1/deliveries/${'x'.repeat(65)}`);
    expect(await problemOf(response)).toEqual({ status: 404, code: 'not_found', paths: [] });
    expect(calls).toEqual([]);
  });
});
