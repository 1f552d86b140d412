import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopes } from '../../src/core/vocabulary.ts';
import { connect } from '../mcp/clients.ts';
import { adminKey, type Rest, startRest, subscriptions } from './rest.ts';

let rest: Rest;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());

const create = (more: object = {}, key?: string) =>
  rest.ask('POST', '/v1/keys', { name: 'test', scopes: ['webhooks:read'], ...more }, key === undefined ? {} : { key });
/** The status of one request with the key over REST, and whether MCP lets it in. */
async function opens(key: string): Promise<unknown[]> {
  const { status } = await rest.ask('GET', subscriptions, undefined, { key });
  const mcp = await fetch(`${rest.base}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  });
  await mcp.text();
  return [status, mcp.status === 401 ? 401 : 'in'];
}

describe('a key', () => {
  it('is shown once', async () => {
    const { status, body } = await create({ name: 'once' });
    expect([status, body.key]).toEqual([201, expect.stringMatching(/^tp_live_[0-9A-Za-z]{40}$/)]);
    const listed = await rest.ask('GET', '/v1/keys');
    const { key, ...shown } = body;
    expect(listed.body.data[0]).toEqual(shown);
    expect(listed.text).not.toContain(key);
    expect(shown.last4).toBe(key.slice(-4));
  });

  it('ends when it expires, to the millisecond, over REST and MCP', async () => {
    const { body } = await create({ expires_in: '1h' });
    expect(Date.parse(body.expires_at)).toBe(rest.h.clock.now() + 3_600_000);
    await rest.pass(3_600_000 - 1);
    expect(await opens(body.key)).toEqual([200, 'in']);
    await rest.pass(1);
    expect(await opens(body.key)).toEqual([401, 401]);
  });

  it.each(['0s', '1', 'h', '-1h', '1.5h', '36501d', '100000000d', '999999999999d', ''])(
    'cannot be made to expire in "%s", and the list can still be read',
    async (expires_in) => {
      const refused = await create({ expires_in });
      expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: '/expires_in' }] } });
      expect((await rest.ask('GET', '/v1/keys?limit=200')).status).toBe(200);
    },
  );

  it('may last for 36,500 days, and for ever', async () => {
    expect((await create({ expires_in: '36500d' })).status).toBe(201);
    expect((await create()).body.expires_at).toBeNull();
    expect((await rest.ask('GET', '/v1/keys?limit=200')).status).toBe(200);
  });

  it('that is revoked opens nothing from the next request on, over REST and to an agent that is connected', async () => {
    const { body } = await create();
    const place = { url: new URL(`${rest.base}/mcp`), headers: { authorization: `Bearer ${body.key}` } };
    const agent = await connect('2.x auto', place);
    expect((await agent.callTool('list_webhook_subscriptions')).isError ?? false).toBe(false);
    expect(await opens(body.key)).toEqual([200, 'in']);
    expect((await rest.ask('DELETE', `/v1/keys/${body.id}`)).status).toBe(204);
    expect(await opens(body.key)).toEqual([401, 401]);
    await expect(agent.callTool('list_webhook_subscriptions')).rejects.toThrow(/401|unauthorized/i);
    await agent.close();
    const { body: listed } = await rest.ask('GET', '/v1/keys?limit=200');
    const revoked = listed.data.find(({ id }: { id: string }) => id === body.id);
    expect(revoked.revoked_at).toBe(new Date(rest.h.clock.now()).toISOString());
  });

  it('is replaced by another without a gap: both open until the first is revoked', async () => {
    const [first, second] = [(await create()).body, (await create()).body];
    expect([await opens(first.key), await opens(second.key)]).toEqual([
      [200, 'in'],
      [200, 'in'],
    ]);
    await rest.ask('DELETE', `/v1/keys/${first.id}`);
    expect([await opens(first.key), await opens(second.key)]).toEqual([
      [401, 401],
      [200, 'in'],
    ]);
  });

  it('shows when it was used last, to the minute, and never before it was used', async () => {
    const { body } = await create();
    const lastUse = async () => {
      const { data } = (await rest.ask('GET', '/v1/keys?limit=200')).body;
      return data.find(({ id }: { id: string }) => id === body.id).last_used_at;
    };
    expect(await lastUse()).toBeNull();
    const first = rest.h.clock.now();
    await opens(body.key);
    expect(await lastUse()).toBe(new Date(first).toISOString());
    await rest.pass(59_999);
    await opens(body.key);
    expect(await lastUse()).toBe(new Date(first).toISOString());
    await rest.pass(1);
    await opens(body.key);
    expect(await lastUse()).toBe(new Date(first + 60_000).toISOString());
  });

  it('is nowhere in the database, but for its hash and its last four characters', async () => {
    const { body } = await create();
    await opens(body.key);
    const path = rest.h.databaseUrl.slice('file:'.length);
    const stored = [path, `${path}-wal`].map((file) => readFileSync(file, 'latin1')).join('');
    expect(stored.includes(createHash('sha256').update(body.key).digest().toString('latin1'))).toBe(true);
    expect(stored.includes(body.last4)).toBe(true);
    expect(stored.includes(body.key.slice('tp_live_'.length, -4))).toBe(false);
    expect(stored.includes(adminKey)).toBe(false);
  });

  it('can revoke itself', async () => {
    const { body } = await create({ scopes: ['keys:admin'] });
    expect((await rest.ask('DELETE', `/v1/keys/${body.id}`, undefined, { key: body.key })).status).toBe(204);
    expect((await rest.ask('GET', '/v1/keys', undefined, { key: body.key })).status).toBe(401);
  });
});

describe('scopes', () => {
  it.each(scopes.filter((scope) => scope !== 'keys:admin'))(
    '%s cannot be granted by a key that lacks it',
    async (scope) => {
      const others = scopes.filter((one) => one !== scope);
      const maker = await rest.makeKey(...others);
      const before = (await rest.ask('GET', '/v1/keys?limit=200')).body.data.length;
      const refused = await create({ scopes: ['keys:admin', scope] }, maker);
      expect(refused).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
      expect(refused.body.detail).toContain(scope);
      expect(refused.headers.get('www-authenticate')).toContain(`scope="${scope}"`);
      expect((await rest.ask('GET', '/v1/keys?limit=200')).body.data).toHaveLength(before);
      expect((await create({ scopes: others }, maker)).body.scopes).toEqual(others);
    },
  );

  it('that nobody knows cannot be granted', async () => {
    expect(await create({ scopes: ['everything'] })).toMatchObject({ status: 422 });
    expect(await create({ scopes: [] })).toMatchObject({ status: 422 });
  });

  it('are granted once each', async () => {
    expect((await create({ scopes: ['events:read', 'events:read'] })).body.scopes).toEqual(['events:read']);
  });
});

describe('without a key', () => {
  it.each([null, 'tp_live_unknown', '', 'x'.repeat(600)])(
    'such as %j nothing opens, and the answer is the same',
    async (key) => {
      const refused = await rest.ask('GET', subscriptions, undefined, { key });
      expect(refused).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
      expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer realm="TrustPager"/);
    },
  );

  it('the document and the health can be read', async () => {
    const statuses = ['/v1/openapi.json', '/healthz'].map(async (path) => (await fetch(rest.base + path)).status);
    expect(await Promise.all(statuses)).toEqual([200, 200]);
  });
});
