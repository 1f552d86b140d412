import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startHarness } from '../support/harness.ts';
import { startReceiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';
import { type AnyClient, type ClientKind, clientKinds, connect, versionOf } from './clients.ts';
import { closeAfterEach } from './close-after-each.ts';
import { converse, logOf, subscribe } from './conversation.ts';

const closing = closeAfterEach();
const program = fileURLToPath(new URL('../../bin/posthorn.js', import.meta.url));
const secretKey = Buffer.alloc(32, 7).toString('base64');

interface Place {
  databaseFile: string;
  env: Record<string, string>;
}

function place(more: Record<string, string> = {}): Place {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-mcp-'));
  closing({ close: async () => rmSync(folder, { recursive: true, force: true }) });
  const databaseFile = join(folder, 'posthorn.db');
  const env = {
    DATABASE_URL: `file:${databaseFile}`,
    POSTHORN_ALLOW_TARGETS: '127.0.0.1/32',
    POSTHORN_SECRET_KEY: secretKey,
    ...more,
  };
  return { databaseFile, env };
}

async function agentIn({ env }: Place, kind: ClientKind = '2.x legacy'): Promise<AnyClient> {
  return closing(await connect(kind, { command: process.execPath, args: [program, 'mcp'], env }));
}

/** The process without a client library around it. */
function start({ env }: Place) {
  const child = spawn(process.execPath, [program, 'mcp'], { env: { ...process.env, ...env }, stdio: 'pipe' });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  closing({
    async close() {
      child.kill('SIGKILL');
      await exited;
    },
  });
  const answered = (id: number) => lines.some((line) => (JSON.parse(line) as { id?: number }).id === id);
  return {
    child,
    exited,
    lines,
    ask: async (id: number, method: string, params: object = {}) => {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
      await until(() => answered(id));
    },
  };
}

const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
const readList = { name: 'list_webhook_subscriptions', arguments: {} };

describe('posthorn mcp', () => {
  it.each(clientKinds)('holds a whole conversation with the client %s', async (kind) => {
    const agent = await agentIn(place(), kind);
    expect(agent.version() ?? versionOf[kind]).toBe(versionOf[kind]);
    await converse(agent, closing(await startReceiver()));
  });

  it('makes no database for a client that only looks, and makes it at the first call', async () => {
    const here = place();
    const { ask, child, exited } = start(here);
    await ask(1, 'initialize', initialize);
    await ask(2, 'tools/list');
    await ask(3, 'prompts/list');
    expect(existsSync(here.databaseFile)).toBe(false);
    await ask(4, 'tools/call', readList);
    expect(existsSync(here.databaseFile)).toBe(true);
    child.stdin.end();
    expect(await exited).toEqual([0, null]);
  });

  it('keeps stdout to the protocol while it logs everything', async () => {
    const { ask, child, exited, lines } = start(place({ POSTHORN_LOG_LEVEL: 'debug' }));
    await ask(1, 'initialize', initialize);
    await ask(2, 'tools/call', { name: 'publish_event', arguments: { type: 'contact.created', data: {} } });
    await ask(3, 'tools/call', { name: 'get_event', arguments: { event_id: 'none' } });
    await ask(4, 'tools/call', { name: 'no_such_tool' });
    child.stdin.write('not JSON\n');
    child.stdin.end();
    expect(await exited).toEqual([0, null]);
    const messages = lines.map((line) => JSON.parse(line) as { jsonrpc: string; id: number });
    expect(messages.map(({ jsonrpc, id }) => `${jsonrpc} ${id}`)).toEqual(['2.0 1', '2.0 2', '2.0 3', '2.0 4']);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with %s while it delivers', async (signal) => {
    const { ask, child, exited } = start(place());
    await ask(1, 'initialize', initialize);
    await ask(2, 'tools/call', readList);
    child.kill(signal);
    expect(await exited).toEqual([0, null]);
  });

  it('shares its database with another process', async () => {
    const receiver = closing(await startReceiver());
    const here = place();
    const [one, other] = await Promise.all([agentIn(here), agentIn(here, '1.32')]);
    const id = await subscribe(one, `${receiver.url}/hook`);
    expect((await other.callTool('get_webhook_subscription', { subscription_id: id })).structuredContent).toMatchObject(
      { id },
    );
    const events = Array.from({ length: 20 }, (_, nth) => ({
      type: 'contact.created',
      data: { nth },
      id: `event-${nth}`,
    }));
    await Promise.all(events.map((event, nth) => (nth % 2 === 0 ? one : other).callTool('publish_event', event)));
    expect(await logOf(one, id, events.length)).toHaveLength(events.length);
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(events.length);
    expect(receiver.requests).toHaveLength(events.length);
  });

  it('shows and does what the scopes of POSTHORN_API_KEY allow, until the key is revoked', async () => {
    const here = place();
    const harness = closing(
      await startHarness({
        databaseUrl: here.env['DATABASE_URL'] ?? '',
        environment: { POSTHORN_SECRET_KEY: secretKey },
      }),
    );
    const key = await harness.core.createKey(harness.owner, { name: 'reader', scopes: ['events:read'] });
    const agent = await agentIn({ ...here, env: { ...here.env, POSTHORN_API_KEY: key.key } });
    expect((await agent.listTools()).map(({ name }) => name)).toEqual(['list_events', 'get_event']);
    expect((await agent.callTool('list_events')).structuredContent).toEqual({ events: [], next_cursor: null });
    expect(await agent.callTool('list_event_types')).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^insufficient_scope: .*webhooks:read/) }],
    });
    await harness.core.revokeKey(harness.owner, { key_id: key.id });
    expect(await agent.callTool('list_events')).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^unauthorized: /) }],
    });
  });
});
