import { describe, expect, it, onTestFinished } from 'vitest';
import { createPosthorn, loadConfig, type Posthorn } from '../../src/app.ts';
import type { Ports, Store } from '../../src/core/ports/ports.ts';
import type { Sender } from '../../src/core/ports/sender.ts';
import { agentScopes } from '../../src/core/vocabulary.ts';
import { systemClock } from '../../src/system.ts';
import { freshDatabase } from './here.ts';

async function create(env: Record<string, string> = {}, overrides: Partial<Ports> = {}): Promise<Posthorn> {
  const fresh = await freshDatabase();
  const posthorn = await createPosthorn(loadConfig({ POSTHORN_LOG_LEVEL: 'error', ...fresh.env, ...env }), overrides);
  onTestFinished(() => posthorn.stop(0));
  return posthorn;
}

describe('createPosthorn', () => {
  it('leaves signals and the process alone', async () => {
    const listeners = () =>
      ['SIGTERM', 'SIGINT', 'exit', 'uncaughtException'].map((name) => process.listenerCount(name));
    const before = listeners();
    const posthorn = await create();
    await posthorn.startDispatcher();
    const { url } = await posthorn.listen();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(listeners()).toEqual(before);
    await Promise.all([posthorn.stop(), posthorn.stop()]);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
  });

  it('takes ports from its host', async () => {
    const sent: string[] = [];
    const sender: Sender = {
      async send({ url }) {
        sent.push(url);
        return { responseCode: 200, error: null, durationMs: 1, retryAfter: null, excerpt: null };
      },
      close: async () => {},
    };
    const posthorn = await create({ POSTHORN_ALLOW_TARGETS: '127.0.0.0/8' }, { sender });
    await posthorn.startDispatcher();
    const { core, operator } = posthorn;
    const principal = await operator.principal();
    const url = 'http://127.0.0.1:9/hook';
    const { id } = await core.createSubscription(principal, { url, events: ['*'] });
    await core.publish(principal, { type: 'contact.created', data: {} });
    const delivered = async () => (await core.getSubscription(principal, { subscription_id: id })).last_response_code;
    await expect.poll(delivered).toBe(200);
    expect(sent).toEqual([url]);
  });

  it('does not call itself, whatever the operator allows', async () => {
    const posthorn = await create({
      POSTHORN_ALLOW_TARGETS: '127.0.0.0/8,localhost',
      POSTHORN_PUBLIC_URL: 'https://hooks.example.com',
    });
    const { port } = await posthorn.listen();
    const isAllowed = async (url: string) => (await posthorn.operator.checkTarget(url)).allowed;
    for (const url of [`http://127.0.0.1:${port}/`, `http://localhost:${port}/`, 'https://hooks.example.com/']) {
      expect([url, await isAllowed(url)]).toEqual([url, false]);
    }
    const other = port === 9 ? 10 : 9;
    expect([await isAllowed(`http://127.0.0.1:${other}/`), await isAllowed(`http://localhost:${other}/`)]).toEqual([
      true,
      true,
    ]);
  });

  it('lists tools by the scopes that the local user has', async () => {
    const { core } = await create();
    expect((await core.localPrincipal({ face: 'cli', client: null })).scopes).toEqual(new Set(agentScopes));
  });

  it('tells the port that was picked in what it documents', async () => {
    const { url } = await (await create()).listen();
    const { servers } = (await (await fetch(`${url}/v1/openapi.json`)).json()) as { servers: { url: string }[] };
    expect(servers.map((server) => server.url)).toEqual([url]);
    const refused = await fetch(`${url}/mcp`, { method: 'POST' });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining(`${url}/`),
    ]);
  });

  it('tells where its metadata stand, to a key that lacks a scope as well', async () => {
    const { core, operator, listen } = await create();
    const { url } = await listen();
    const { key } = await core.createKey(await operator.principal(), { name: 'x', scopes: ['webhooks:read'] });
    const ask = (name: string) =>
      fetch(`${url}/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } }),
      });
    const refused = await ask('list_events');
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      403,
      expect.stringContaining(`resource_metadata="${url}/.well-known/oauth-protected-resource/mcp"`),
    ]);
    expect((await ask('list_webhook_subscriptions')).status).toBe(200);
  });

  it('lets nobody in by another host name, but by that of the public URL', async () => {
    const { url } = await (
      await create({ POSTHORN_ALLOWED_HOSTS: '127.0.0.1', POSTHORN_PUBLIC_URL: 'https://a.example' })
    ).listen();
    const statusFrom = async (origin: string) => (await fetch(`${url}/healthz`, { headers: { origin } })).status;
    expect([await statusFrom('https://a.example'), await statusFrom('https://evil.example')]).toEqual([200, 403]);
  });
});

describe('readyz', () => {
  it('is 503 until the dispatcher beats', async () => {
    const posthorn = await create();
    const { url } = await posthorn.listen();
    const before = await fetch(`${url}/readyz`);
    expect([before.status, await before.text()]).toEqual([
      503,
      expect.stringContaining("The dispatcher's heart does not beat."),
    ]);
    await posthorn.startDispatcher();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('asks for no heart where nothing is to be delivered', async () => {
    const posthorn = await create({ POSTHORN_DISPATCH: 'off' });
    await posthorn.startDispatcher();
    const { url } = await posthorn.listen();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(posthorn.core.worker.pulse().running).toBe(false);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('gone'))],
    ['never answers', () => new Promise<void>(() => {})],
  ])('is 503 when the database %s', async (_, ping) => {
    const { openStore } = await import('../../src/store/open.ts');
    const { env } = await freshDatabase();
    const config = loadConfig({ ...env, POSTHORN_LOG_LEVEL: 'silent' });
    const store = await openStore(config.databaseUrl, { healthLimits: config });
    const posthorn = await createPosthorn(config, { store: withPing(store, ping), clock: hastyClock });
    onTestFinished(() => posthorn.stop(0));
    const { url } = await posthorn.listen();
    const answer = await fetch(`${url}/readyz`);
    expect([answer.status, await answer.text()]).toEqual([
      503,
      expect.stringContaining('The database does not answer.'),
    ]);
  });
});

/** Waits of seconds pass at once. */
const hastyClock = { ...systemClock, after: (ms: number, run: () => void) => systemClock.after(Math.min(ms, 10), run) };

function withPing(store: Store, ping: () => Promise<void>): Store {
  return Object.create(store, { ping: { value: ping } }) as Store;
}
