import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freshDatabase, open, run } from './here.ts';
import { type PosthornProcess, start } from './process.ts';
import { answer, call, initialize, initialized, send } from './stdio.ts';

const listTools = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

describe('mcp', () => {
  it('writes nothing but protocol to stdout', async () => {
    const { env } = await freshDatabase();
    const mcp = start(['mcp'], { ...env, POSTHORN_LOG_LEVEL: 'trace', POSTHORN_NONSENSE: '1' });
    send(mcp, initialize, initialized, listTools, call(3, 'list_webhook_subscriptions'), call(4, 'no_such_tool'));
    mcp.write('this is not JSON\n');
    await answer(mcp, 4);
    mcp.closeStdin();
    const { code, stdout, stderr } = await mcp.ended;
    expect(code).toBe(0);
    const lines = stdout.split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThanOrEqual(4);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
    expect(stderr).toContain('POSTHORN_NONSENSE is not a variable of Posthorn');
  });

  it('leaves no file behind when it is killed after a quarter of a second', async () => {
    const { env, folder } = await freshDatabase();
    const mcp = start(['mcp'], env);
    send(mcp, initialize, initialized, listTools);
    await answer(mcp, 2);
    mcp.child.kill('SIGKILL');
    expect(await mcp.ended).toMatchObject({ signal: 'SIGKILL' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('makes the database at the first request that needs it', async () => {
    const { env, folder } = await freshDatabase();
    const mcp = start(['mcp'], env);
    send(mcp, initialize, initialized, call(2, 'list_webhook_subscriptions'));
    const { result } = await answer(mcp, 2);
    expect(result).toMatchObject({ structuredContent: { subscriptions: [], next_cursor: null } });
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['p.db', 'secret.key']));
  });

  it('delivers by itself, and ends with 0 when stdin ends', async () => {
    const { env } = await freshDatabase();
    const mcp = start(['mcp'], env);
    send(mcp, initialize, initialized, call(2, 'list_webhook_subscriptions'));
    await answer(mcp, 2);
    expect((await run(['doctor'], env)).stdout).toContain('One process delivers; 0 deliveries are due.');
    mcp.closeStdin();
    expect(await mcp.ended).toMatchObject({ code: 0, signal: null });
    expect((await run(['doctor'], env)).stdout).toContain('No process delivers: start');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 at %s', async (signal) => {
    const { env } = await freshDatabase();
    const mcp = start(['mcp'], env);
    send(mcp, initialize, initialized, call(2, 'list_webhook_subscriptions'));
    await answer(mcp, 2);
    mcp.child.kill(signal);
    expect(await mcp.ended).toMatchObject({ code: 0, signal: null });
  });

  it('does not deliver with POSTHORN_DISPATCH=off', async () => {
    const { env } = await freshDatabase();
    const mcp = start(['mcp'], { ...env, POSTHORN_DISPATCH: 'off' });
    send(mcp, initialize, initialized, call(2, 'list_webhook_subscriptions'));
    await answer(mcp, 2);
    expect((await run(['doctor'], env)).stdout).toContain('No process delivers: start');
  });

  it('acts with the scopes of POSTHORN_API_KEY, and refuses a wrong one', async () => {
    const { env } = await freshDatabase();
    const made = await run(['keys', 'create', 'reader', '--scopes', 'webhooks:read'], env);
    const mcp = start(['mcp'], { ...env, POSTHORN_API_KEY: made.stdout.trim() });
    send(mcp, initialize, initialized, listTools, call(3, 'publish_event', { type: 'contact.created', data: {} }));
    const { result } = await answer(mcp, 2);
    const names = (result['tools'] as { name: string }[]).map(({ name }) => name);
    expect(names).toContain('list_webhook_subscriptions');
    expect(names).not.toContain('publish_event');
    expect((await answer(mcp, 3)).result).toMatchObject({ isError: true });

    const wrong = start(['mcp'], { ...env, POSTHORN_API_KEY: 'tp_live_wrong' });
    send(wrong, initialize, initialized, call(2, 'list_webhook_subscriptions'));
    expect(JSON.stringify((await answer(wrong, 2)).result)).toContain('unauthorized');
  });

  it('tells the model what is wrong with the configuration', async () => {
    const { env } = await freshDatabase();
    await open(env);
    const other = Buffer.alloc(32, 1).toString('base64');
    const mcp = start(['mcp'], { ...env, POSTHORN_SECRET_KEY: other });
    send(mcp, initialize, initialized, call(2, 'list_webhook_subscriptions'));
    const { result } = await answer(mcp, 2);
    const text = expect.stringMatching(/^misconfigured: POSTHORN_SECRET_KEY does not fit the database/);
    expect(result).toEqual({ isError: true, content: [{ type: 'text', text }] });
    expect(JSON.stringify(result)).not.toContain(other);
  });

  it('opens the database once, however often the dispatcher does not start', async () => {
    const { env, folder } = await freshDatabase();
    await open(env);
    const database = new Database(join(folder, 'p.db'));
    onTestFinished(() => void database.close());
    database.exec("create trigger refuse before insert on workers begin select raise(abort, 'refused'); end");
    const mcp = start(['mcp'], env);
    send(mcp, initialize, initialized);
    for (const id of [2, 3]) {
      send(mcp, call(id, 'list_webhook_subscriptions'));
      expect((await answer(mcp, id)).result).toMatchObject({ isError: true });
    }
    database.exec('drop trigger refuse');
    send(mcp, call(4, 'list_webhook_subscriptions'));
    expect((await answer(mcp, 4)).result).toHaveProperty('structuredContent');
    expect((await run(['doctor'], env)).stdout).toContain('One process delivers; 0 deliveries are due.');
    expect(await connections(mcp, 'p.db')).toBe(2);
  });

  it('leaves out what POSTHORN_TOOLS and POSTHORN_READ_ONLY leave out', async () => {
    const mcp = start(['mcp'], { POSTHORN_TOOLS: 'subscriptions', POSTHORN_READ_ONLY: '1' });
    send(mcp, initialize, initialized, listTools);
    const { result } = await answer(mcp, 2);
    const names = (result['tools'] as { name: string }[]).map(({ name }) => name);
    expect(names).toContain('get_webhook_subscription');
    for (const name of ['create_webhook_subscription', 'list_events']) expect(names).not.toContain(name);
  });

  it('shares its database with another process', async () => {
    const { env } = await freshDatabase();
    await (await open(env)).startDispatcher();
    const mcp = start(['mcp'], env);
    send(mcp, initialize, initialized, call(2, 'list_webhook_subscriptions'));
    await answer(mcp, 2);
    expect((await run(['doctor'], env)).stdout).toContain('2 processes deliver; 0 deliveries are due.');
    mcp.closeStdin();
    expect(await mcp.ended).toMatchObject({ code: 0 });
    expect((await run(['doctor'], env)).stdout).toContain('One process delivers; 0 deliveries are due.');
  });
});

/** How often a process has the database open: once to write and once to read. Taken for granted where none can tell. */
async function connections(mcp: PosthornProcess, file: string): Promise<number> {
  if (process.platform !== 'linux') return 2;
  const folder = `/proc/${mcp.child.pid}/fd`;
  const names = await readdir(folder);
  const paths = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')));
  return paths.filter((path) => path.endsWith(`/${file}`)).length;
}
