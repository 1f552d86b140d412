import { describe, expect, it, onTestFinished } from 'vitest';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';
import { freshDatabase, open, run } from './here.ts';
import { type PosthornProcess, start, startServer } from './process.ts';
import { answer, call, initialize, initialized, send } from './stdio.ts';

/** What the README's first run gives the server. */
const readme = {
  POSTHORN_ALLOW_TARGETS: '127.0.0.0/8',
  POSTHORN_ADMIN_KEY: 'choose-any-32-characters-or-more-here',
};

/** A database, servers on it, and `posthorn mcp` as clients are told to start it: nothing but the database is given. */
async function place() {
  const { env } = await freshDatabase();
  return {
    env,
    serve: (more: Record<string, string> = {}) => startServer({ ...env, ...more }),
    agent: (more: Record<string, string> = {}) => startAgent({ DATABASE_URL: env['DATABASE_URL'] ?? '', ...more }),
  };
}

function startAgent(env: Record<string, string>) {
  const mcp = start(['mcp'], env);
  send(mcp, initialize, initialized);
  let lastId = 1;
  return {
    mcp,
    async tool(name: string, args: object = {}): Promise<Record<string, unknown>> {
      const id = ++lastId;
      send(mcp, call(id, name, args));
      const { result } = await answer(mcp, id);
      return (result['structuredContent'] as Record<string, unknown> | undefined) ?? result;
    },
    /** What it has warned of in all, once it has ended. */
    async warnings(): Promise<string[]> {
      mcp.closeStdin();
      const lines = (await mcp.ended).stderr.split('\n').filter((line) => line.startsWith('{'));
      const said = lines.map((line) => JSON.parse(line) as { level: string; msg: string });
      return said.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    },
  };
}

async function receiver(): Promise<Receiver> {
  const one = await startReceiver();
  onTestFinished(() => one.close());
  return one;
}

/** A server that ran for a moment, in this process. */
async function served(env: Record<string, string>, more: Record<string, string> = {}): Promise<void> {
  const posthorn = await open({ ...env, ...more });
  await posthorn.listen();
  await posthorn.stop(0);
}

async function stopped(server: PosthornProcess): Promise<string> {
  server.child.kill('SIGTERM');
  return (await server.ended).stderr;
}

const subscription = (url: string) => ({ url, events: ['contact.*'] });
const refused = { isError: true, content: [{ text: expect.stringMatching(/^target_not_allowed/) }] };

describe('posthorn mcp beside a server', () => {
  it('delivers where the operator let the server deliver, and as the server does', async () => {
    const { serve, agent } = await place();
    const target = await receiver();
    target.answer(500);
    // It delivers nothing itself, so that everything falls to the process that is looked at.
    const server = await serve({
      ...readme,
      POSTHORN_DISPATCH: 'off',
      POSTHORN_BRAND: 'Acme',
      POSTHORN_RETRY_SCHEDULE: '0s',
    });
    const { tool, warnings } = agent();
    const { id } = await tool('create_webhook_subscription', subscription(target.url));
    const headers = { authorization: `Bearer ${readme.POSTHORN_ADMIN_KEY}`, 'content-type': 'application/json' };
    const events = Array.from({ length: 20 }, (_, nth) => ({ type: 'contact.created', data: { nth } }));
    await fetch(`${server.url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) });
    await target.received(21);
    const logs = async () =>
      (await tool('list_webhook_subscription_logs', { subscription_id: id }))['logs'] as Record<string, unknown>[];
    await until(async () => (await logs()).length === 21);
    expect((await logs()).filter(({ status }) => status === 'failed')).toMatchObject([{ error: 'http_5xx' }]);
    expect(target.requests.every((request) => request.headers['x-acme-event'] === 'contact.created')).toBe(true);
    expect(await tool('create_webhook_subscription', subscription(server.url))).toMatchObject(refused);
    expect(await warnings()).toEqual([]);
  });

  it('lets no new host in where the server wants approval, whatever its own environment says', async () => {
    const { serve, agent } = await place();
    const target = await receiver();
    const server = await serve({ ...readme, POSTHORN_NEW_HOSTS: 'approve' });
    const waits = { status: 'pending_approval' };
    expect(await agent().tool('create_webhook_subscription', subscription(target.url))).toMatchObject(waits);
    await stopped(server);
    const loose = agent({ POSTHORN_NEW_HOSTS: 'allow' });
    expect(await loose.tool('create_webhook_subscription', subscription(target.url))).toMatchObject(waits);
    await loose.tool('list_webhook_subscriptions');
    expect(await loose.warnings()).toEqual([expect.stringContaining('POSTHORN_NEW_HOSTS=allow does not hold')]);
  });

  it('has no exception any more once a server started without it', async () => {
    const { env, agent } = await place();
    const target = await receiver();
    await served(env, readme);
    await served(env);
    expect(await agent().tool('create_webhook_subscription', subscription(target.url))).toMatchObject(refused);
  });

  it('goes by what it sets itself, and says so', async () => {
    const { env, agent } = await place();
    const target = await receiver();
    await served(env, { POSTHORN_RETENTION: '2d' });
    const { tool, warnings } = agent({ POSTHORN_ALLOW_TARGETS: '127.0.0.1/32', POSTHORN_RETENTION: '48h' });
    const made = await tool('create_webhook_subscription', subscription(target.url));
    expect(made).toMatchObject({ status: 'active' });
    await tool('publish_event', { type: 'contact.created', data: {} });
    await target.received(1);
    expect(await warnings()).toEqual([
      expect.stringContaining(
        'POSTHORN_ALLOW_TARGETS=127.0.0.1/32 holds in this process alone: the server on this database has no',
      ),
    ]);
  });

  it('goes by a server that starts after it', async () => {
    const { env, agent } = await place();
    const target = await receiver();
    const { tool } = agent();
    const subscribe = () => tool('create_webhook_subscription', subscription(target.url));
    expect(await subscribe()).toMatchObject(refused);
    await served(env, readme);
    expect(await subscribe()).toMatchObject({ status: 'active' });
    await served(env, { ...readme, POSTHORN_NEW_HOSTS: 'approve' });
    const { url } = await receiver();
    expect(await tool('create_webhook_subscription', subscription(url))).toMatchObject({ status: 'pending_approval' });
    await served(env);
    expect(await subscribe()).toMatchObject(refused);
  });

  it('delivers by a server that starts after it, without being asked anything', async () => {
    const { env, agent } = await place();
    const target = await receiver();
    const { mcp, tool } = agent({ POSTHORN_RETRY_SCHEDULE: Array(50).fill('200ms').join() });
    await tool('list_webhook_subscriptions');
    const { core, operator, listen } = await open({ ...env, ...readme });
    await listen();
    const owner = await operator.principal();
    await core.createSubscription(owner, subscription(target.url));
    await core.publish(owner, { type: 'contact.created', data: {} });
    await target.received(1);
    mcp.closeStdin();
    expect(await mcp.ended).toMatchObject({ code: 0 });
    expect(await core.readStatus(owner, {})).toMatchObject({ workers: 0 });
  });

  it('goes by its own environment where no server ever ran', async () => {
    const { agent } = await place();
    const target = await receiver();
    expect(await agent().tool('create_webhook_subscription', subscription(target.url))).toMatchObject(refused);
    const own = agent({ POSTHORN_ALLOW_TARGETS: '127.0.0.1/32' });
    expect(await own.tool('create_webhook_subscription', subscription(target.url))).toMatchObject({ status: 'active' });
  });
});

describe('commands beside a server', () => {
  it('go by the server: keys have its prefix, and doctor says what it allows', async () => {
    const { env } = await place();
    const server = await open({ ...env, ...readme, POSTHORN_BRAND: 'Acme' });
    await server.listen();
    await server.startDispatcher();
    expect((await run(['keys', 'create', 'agent'], env)).stdout).toMatch(/^ac_live_/);
    const { code, stdout } = await run(['doctor'], env);
    expect(code).toBe(0);
    expect(stdout).toContain(
      'POSTHORN_ALLOW_TARGETS of the server on this database excepts 127.0.0.0/8 from the egress policy.',
    );
    const own = await run(['keys', 'create', 'agent'], {
      ...env,
      POSTHORN_BRAND: 'Other',
      POSTHORN_LOG_LEVEL: 'error',
    });
    expect(own).toMatchObject({ stdout: expect.stringMatching(/^ot_live_/), code: 0 });
  });
});

describe('servers on one database', () => {
  it('keep to their own environment, and say where another one that runs differs', async () => {
    const { serve, agent } = await place();
    const target = await receiver();
    const differs =
      'POSTHORN_NEW_HOSTS=allow here, and POSTHORN_NEW_HOSTS=approve in a server that runs on this database too';
    const first = await serve({ ...readme, POSTHORN_NEW_HOSTS: 'approve' });
    const second = await serve(readme);
    await second.line(new RegExp(differs));
    const subscribe = async ({ url }: { url: string }) => {
      const headers = { authorization: `Bearer ${readme.POSTHORN_ADMIN_KEY}`, 'content-type': 'application/json' };
      const body = JSON.stringify(subscription(target.url));
      return (await fetch(`${url}/v1/webhooks/subscribe`, { method: 'POST', headers, body })).json();
    };
    expect(await subscribe(first)).toMatchObject({ status: 'pending_approval' });
    expect(await subscribe(second)).toMatchObject({ status: 'active' });
    const { url: other } = await receiver();
    expect(await agent().tool('create_webhook_subscription', subscription(other))).toMatchObject({ status: 'active' });
    expect(await stopped(first)).not.toContain('on this database');
    await stopped(second);
    expect(await stopped(await serve({ ...readme, POSTHORN_NEW_HOSTS: 'approve' }))).not.toContain('on this database');
  });
});
