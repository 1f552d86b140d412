import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Core } from '../../src/core/core.ts';
import { PosthornError } from '../../src/core/errors.ts';
import { serveStdio, type StdioOptions } from '../../src/mcp/stdio.ts';
import { chooseTools, defaultToolGroups } from '../../tools/index.ts';
import { until } from '../support/until.ts';
import { closeAfterEach } from './close-after-each.ts';
import { aSubscription, coreWithOneSubscription, fakeCore, principalWith, recordingLog } from './fake-core.ts';

const closing = closeAfterEach();

interface Message {
  id?: number;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

/** The stdio face on two streams of this process. */
function serve(more: Partial<StdioOptions> = {}) {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const opened: string[] = [];
  const done = serveStdio({
    core: async () => {
      opened.push('core');
      return coreWithOneSubscription();
    },
    principal: async () => {
      opened.push('principal');
      return principalWith();
    },
    groups: defaultToolGroups,
    readOnly: false,
    version: '0.0.0-test',
    log: recordingLog(),
    stdin,
    stdout,
    ...more,
  });
  const lines = stdout.setEncoding('utf8').iterator({ destroyOnReturn: false });
  let rest = '';
  const next = async (): Promise<Message> => {
    while (!rest.includes('\n')) rest += String((await lines.next()).value);
    const end = rest.indexOf('\n');
    const line = rest.slice(0, end);
    rest = rest.slice(end + 1);
    return JSON.parse(line) as Message;
  };
  const send = (...messages: object[]) => {
    stdin.write(messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join(''));
  };
  const ask = (message: object): Promise<Message> => {
    send(message);
    return next();
  };
  closing({
    async close() {
      stdin.end();
      await done;
    },
  });
  return { stdin, stdout, opened, done, next, send, ask };
}

const initialize = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};
const initialized = { method: 'notifications/initialized' };
const call = (id: number, name: string, args: object = {}) => ({
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

describe('stdio', () => {
  it('opens nothing for a client that only starts, pings and looks at the lists', async () => {
    const { ask, send, opened } = serve({ knownScopes: principalWith().scopes });
    expect(await ask(initialize)).toMatchObject({ id: 1, result: { serverInfo: { name: 'posthorn' } } });
    send(initialized);
    for (const method of ['ping', 'tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']) {
      expect(await ask({ id: 2, method })).toHaveProperty('result');
    }
    expect(opened).toEqual([]);
    await ask(call(3, 'list_webhook_subscriptions'));
    expect(opened).toEqual(['core', 'principal']);
  });

  it('loads what it will need once it was asked something, and opens nothing', async () => {
    const loaded = Promise.withResolvers<string[]>();
    const { ask, opened } = serve({
      knownScopes: principalWith().scopes,
      preload: async () => loaded.resolve([...opened]),
    });
    await ask(initialize);
    expect(await loaded.promise).toEqual([]);
  });

  it('loads nothing for a client that asks nothing, and survives what does not load', async () => {
    const log = recordingLog();
    let loads = 0;
    const preload = () => {
      loads += 1;
      return Promise.reject(new Error('no such module'));
    };
    const silent = serve({ preload });
    silent.stdin.end();
    await silent.done;
    expect(loads).toBe(0);
    const { ask } = serve({ preload, log });
    await ask(initialize);
    await until(() => log.lines.some(({ message }) => message === 'preloading failed'));
    expect(loads).toBe(1);
    expect(await ask(call(2, 'list_webhook_subscriptions'))).toHaveProperty('result.structuredContent');
  });

  it('asks for core and for the principal each time', async () => {
    const { ask, opened } = serve();
    await ask(initialize);
    await ask(call(2, 'list_webhook_subscriptions'));
    await ask(call(3, 'list_webhook_subscriptions'));
    expect(opened).toEqual(['core', 'principal', 'core', 'principal']);
  });

  it('lists what the scopes of its key allow, and refuses the rest as a result', async () => {
    const { ask } = serve({ principal: async () => principalWith('events:read') });
    await ask(initialize);
    const { result } = await ask({ id: 2, method: 'tools/list' });
    expect(result).toMatchObject({ tools: [{ name: 'list_events' }, { name: 'get_event' }] });
    expect(await ask(call(3, 'publish_event', { type: 'contact.created', data: {} }))).toMatchObject({
      result: {
        isError: true,
        content: [{ type: 'text', text: expect.stringMatching(/^insufficient_scope: .*events:write/) }],
      },
    });
  });

  it('lists every tool when the key cannot be checked, and says why at each call', async () => {
    const refused = new PosthornError('unauthorized', 'There is no such key.');
    const { ask } = serve({ principal: () => Promise.reject(refused) });
    await ask(initialize);
    const { result } = await ask({ id: 2, method: 'tools/list' });
    expect(result).toMatchObject({ tools: chooseTools(defaultToolGroups, false).map(({ name }) => ({ name })) });
    expect(await ask(call(3, 'list_event_types'))).toMatchObject({
      result: { isError: true, content: [{ text: expect.stringMatching(/^unauthorized: .*POSTHORN_API_KEY/s) }] },
    });
  });

  it('opens core again when that failed', async () => {
    const log = recordingLog();
    let tries = 0;
    const core = async () => {
      tries += 1;
      if (tries === 1) throw new PosthornError('store_unavailable', 'The database is locked.');
      return coreWithOneSubscription();
    };
    const { ask } = serve({ core, log });
    await ask(initialize);
    expect(await ask(call(2, 'list_event_types'))).toMatchObject({
      result: { isError: true, content: [{ text: expect.stringMatching(/^store_unavailable: /) }] },
    });
    expect((await ask(call(3, 'list_event_types'))).result).not.toHaveProperty('isError');
    expect(tries).toBe(2);
  });
});

describe('the end of stdio', () => {
  it('comes with the end of stdin', async () => {
    const { ask, stdin, done } = serve();
    await ask(initialize);
    stdin.end();
    await expect(done).resolves.toBeUndefined();
  });

  it('comes when stdin is torn down', async () => {
    const { ask, stdin, done } = serve();
    await ask(initialize);
    stdin.destroy();
    await expect(done).resolves.toBeUndefined();
  });

  it('comes when stdin ended before it began', async () => {
    const stdin = new PassThrough();
    stdin.end();
    stdin.resume();
    await once(stdin, 'end');
    await expect(serve({ stdin }).done).resolves.toBeUndefined();
  });

  it('comes when nobody reads any more', async () => {
    const { ask, stdout, done } = serve();
    await ask(initialize);
    stdout.destroy(new Error('EPIPE'));
    await expect(done).resolves.toBeUndefined();
  });

  it('comes with the signal', async () => {
    const stopping = new AbortController();
    const { ask, done } = serve({ signal: stopping.signal });
    await ask(initialize);
    stopping.abort();
    await expect(done).resolves.toBeUndefined();
  });

  it('waits for requests that were read before it', async () => {
    let release = (_core: Core): void => {};
    const opening = new Promise<Core>((resolve) => {
      release = resolve;
    });
    const started = Promise.withResolvers<void>();
    const { ask, send, stdin, done, next } = serve({
      core: () => {
        started.resolve();
        return opening;
      },
    });
    await ask(initialize);
    send(call(2, 'get_webhook_subscription', { subscription_id: aSubscription.id }));
    stdin.end();
    await started.promise;
    release(coreWithOneSubscription());
    expect(await next()).toMatchObject({ id: 2, result: { structuredContent: { id: aSubscription.id } } });
    await expect(done).resolves.toBeUndefined();
  });

  it('waits for no request that was canceled', async () => {
    const never = new Promise<never>(() => {});
    const started = Promise.withResolvers<void>();
    const { ask, send, stdin, done } = serve({
      core: async () =>
        fakeCore({
          listEvents: () => {
            started.resolve();
            return never;
          },
        }),
    });
    await ask(initialize);
    send(call(2, 'list_events'));
    await started.promise;
    send({ method: 'notifications/cancelled', params: { requestId: 2 } });
    stdin.end();
    await expect(done).resolves.toBeUndefined();
  });
});
