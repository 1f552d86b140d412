import { once } from 'node:events';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freshDatabase, open, run, temporaryFolder } from './here.ts';
import { runProcess, startServer } from './process.ts';

const adminKey = 'an admin key of 32 characters or more';
const keyPattern = /tp_live_[0-9A-Za-z]{40}/g;

describe('serve', () => {
  it('prints a key at the first start and never again', async () => {
    const { env, folder } = await freshDatabase();
    const first = await startServer(env);
    await first.line(keyPattern);
    first.child.kill('SIGTERM');
    const { stderr, stdout, code } = await first.ended;
    const keys = stderr.match(keyPattern) ?? [];
    expect({ code, stdout, count: keys.length }).toEqual({ code: 0, stdout: '', count: 1 });

    const second = await startServer(env);
    const answer = await fetch(`${second.url}/v1/webhooks/subscriptions`, {
      headers: { authorization: `Bearer ${keys[0]}` },
    });
    expect(answer.status).toBe(200);
    second.child.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 0, stdout: '', stderr: expect.not.stringMatching(keyPattern) });
    expect((await stat(join(folder, 'secret.key'))).mode & 0o777).toBe(0o600);
  });

  it('needs no environment: MCP, REST and a page on one port, the database under ./data', async () => {
    const folder = await temporaryFolder();
    const server = await startServer({ PORT: '0' }, folder);
    await server.line(/listening on http:\/\/127\.0\.0\.1:\d+/);
    const statuses = await Promise.all(
      ['/', '/mcp', '/v1/events', '/healthz', '/readyz'].map(async (path) => (await fetch(server.url + path)).status),
    );
    expect(statuses.slice(0, 4)).toEqual([200, 401, 401, 200]);
    expect(await readdir(join(folder, 'data'))).toEqual(expect.arrayContaining(['posthorn.db', 'secret.key']));
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
  });

  it('makes no key where an admin key is given, which opens everything', async () => {
    const { env, folder } = await freshDatabase();
    const server = await startServer({ ...env, POSTHORN_ADMIN_KEY: adminKey, POSTHORN_LOG_LEVEL: 'silent' });
    const types = await fetch(`${server.url}/v1/event-types`, { headers: { authorization: `Bearer ${adminKey}` } });
    expect(types.status).toBe(200);
    server.child.kill('SIGTERM');
    const { code, stderr } = await server.ended;
    expect({ code, keys: stderr.match(keyPattern) }).toEqual({ code: 0, keys: null });
    expect(stderr.split('\n')[0]).toBe(`Posthorn listening on ${server.url}`);
    for (const name of await readdir(folder)) {
      expect((await readFile(join(folder, name))).includes(adminKey)).toBe(false);
    }
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'answers, then ends at %s with 0 and leaves no worker behind',
    async (signal) => {
      const { env } = await freshDatabase();
      const server = await startServer(env);
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      server.child.kill(signal);
      expect(await server.ended).toMatchObject({ code: 0, signal: null });
      expect(await run(['doctor', '--json'], env)).toMatchObject({
        stdout: expect.stringContaining('"check":"delivery","state":"failed","message":"No process delivers: start'),
      });
    },
  );

  it('says what is unusual about its environment', async () => {
    const { env } = await freshDatabase();
    const server = await startServer({
      ...env,
      POSTHORN_ALLOW_TARGETS: '127.0.0.0/8,hooks.internal',
      POSTHORN_DISPATCH: 'off',
      POSTHORN_RETRY_SHEDULE: '1s',
    });
    const ready = await fetch(`${server.url}/readyz`);
    expect(ready.status).toBe(200);
    server.child.kill('SIGTERM');
    const { stderr } = await server.ended;
    const lines = stderr.split('\n');
    expect(lines).toContain('Exceptions to the egress policy (POSTHORN_ALLOW_TARGETS): 127.0.0.0/8, hooks.internal');
    expect(lines).toContain('This process does not deliver (POSTHORN_DISPATCH=off): another one has to.');
    expect(lines).toContain(
      'POSTHORN_RETRY_SHEDULE is not a variable of Posthorn; did you mean POSTHORN_RETRY_SCHEDULE?',
    );
  });

  it('ends at once with one line when the port is taken, and keeps the first key for a start that can show it', async () => {
    const [one, other] = await Promise.all([freshDatabase(), freshDatabase()]);
    const server = await startServer(one.env);
    const { code, stdout, stderr } = await runProcess(['serve'], { ...other.env, PORT: new URL(server.url).port });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const port = Number(new URL(server.url).port);
    expect(stderr).toMatch(
      new RegExp(
        `^posthorn: PORT=${port} is taken on 127\\.0\\.0\\.1 \\(EADDRINUSE\\): end what listens there, .+ PORT=\\d+\\n$`,
      ),
    );
    const first = await startServer(other.env);
    expect(await first.line(keyPattern)).toMatch(keyPattern);
  });

  it('does not start with a secret key that does not fit the database', async () => {
    const { env, folder } = await freshDatabase();
    const server = await startServer(env);
    server.child.kill('SIGTERM');
    await server.ended;
    const other = Buffer.alloc(32, 1).toString('base64');
    const wrong = await runProcess(['serve'], { ...env, POSTHORN_SECRET_KEY: other });
    expect(wrong).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^posthorn: POSTHORN_SECRET_KEY does not fit the database.*\n$/),
    });
    expect(wrong.stderr).not.toContain(other);

    await rm(join(folder, 'secret.key'));
    const lost = await runProcess(['serve'], env);
    expect(lost).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('secret.key is missing, and no other key opens'),
    });
    expect(await readdir(folder)).not.toContain('secret.key');
  });

  it('starts twice at once on a new folder', async () => {
    const { env } = await freshDatabase();
    const servers = await Promise.all([startServer(env), startServer(env)]);
    for (const { child } of servers) child.kill('SIGTERM');
    const ended = await Promise.all(servers.map((server) => server.ended));
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  });

  it('lets an attempt in flight end', async () => {
    const { server, answer, env } = await serverWithAttemptInFlight();
    server.child.kill('SIGTERM');
    await portClosed(server.url);
    expect(server.child.exitCode).toBeNull();
    answer();
    expect(await server.ended).toMatchObject({ code: 0, signal: null });
    expect((await run(['doctor', '--json'], env)).stdout).toContain('No process delivers: start');
  });

  it('waits 10 s for an attempt that does not end, then gives its lease back and ends with 0', async () => {
    const { server, env } = await serverWithAttemptInFlight({ POSTHORN_ATTEMPT_TIMEOUT: '10m' }, [hurried]);
    const toldAt = performance.now();
    server.child.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0, signal: null });
    expect((performance.now() - toldAt) * 10).toBeGreaterThan(9_900);
    const { core, operator } = await open(env);
    const principal = await operator.principal();
    const { data } = await core.listLogs(principal, {});
    expect(data).toMatchObject([{ error: 'interrupted', attempt: 1 }]);
    const { data: owed } = await core.listDeliveries(principal, {});
    expect(owed).toMatchObject([{ status: 'pending', next_attempt_at: data[0]?.created_at }]);
  });

  it('waits for nothing at the second signal', async () => {
    const { server } = await serverWithAttemptInFlight();
    server.child.kill('SIGTERM');
    await portClosed(server.url);
    expect(server.child.exitCode).toBeNull();
    server.child.kill('SIGINT');
    expect(await server.ended).toMatchObject({ code: 130 });
  });
});

/** A program whose time passes ten times as fast. */
const hurried = `--import=data:text/javascript,${encodeURIComponent(`
  const { setTimeout: wait } = globalThis, { now } = Date, began = now();
  globalThis.setTimeout = (run, ms = 0, ...rest) => wait(run, ms / 10, ...rest);
  Date.now = () => began + (now() - began) * 10;
`)}`;

/** A server that waits for the answer of a receiver. */
async function serverWithAttemptInFlight(more: Record<string, string> = {}, nodeArguments: string[] = []) {
  const arrived = Promise.withResolvers<() => void>();
  const receiver = createServer((_request, response) => arrived.resolve(() => response.end())).listen(0, '127.0.0.1');
  onTestFinished(() => {
    receiver.closeAllConnections();
    receiver.close();
  });
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  const fresh = await freshDatabase();
  const env = { ...fresh.env, POSTHORN_ADMIN_KEY: adminKey, POSTHORN_ALLOW_TARGETS: '127.0.0.0/8', ...more };
  const server = await startServer(env, undefined, nodeArguments);
  await post(server.url, '/v1/webhooks/subscribe', { url: `http://127.0.0.1:${port}/`, events: ['*'] });
  await post(server.url, '/v1/events', { type: 'contact.created', data: {} });
  return { server, env, answer: await arrived.promise };
}

async function post(url: string, path: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answer.ok).toBe(true);
}

/** The port closes first: then the signal has been taken. */
function portClosed(url: string): Promise<void> {
  const state = () =>
    fetch(`${url}/healthz`).then(
      () => 'open',
      () => 'closed',
    );
  return expect.poll(state, { timeout: 10_000 }).toBe('closed');
}
