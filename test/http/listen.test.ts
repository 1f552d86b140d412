import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Core } from '../../src/core/core.ts';
import type { App, AppEnv } from '../../src/http/context.ts';
import { listen, type Listening } from '../../src/http/server.ts';
import { until } from '../support/until.ts';
import { fakeApp, fakeCore, fakeLog, fullKey } from './fake-core.ts';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

type Limits = NonNullable<Parameters<typeof listen>[1]['limits']>;

async function start(answers: Record<string, unknown> = {}, limits: Limits = {}) {
  const fake = fakeApp(answers);
  const { log, lines } = fakeLog();
  const server = await listen(fake.app, { host: '127.0.0.1', port: 0, log, limits: { closeGraceMs: 200, ...limits } });
  open.push(server);
  return { ...fake, server, serverLines: lines };
}

/** What the server says on one raw connection until it hangs up. */
async function talk(port: number, ...pieces: (string | Uint8Array)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  for (const piece of pieces) socket.write(piece);
  return heard(socket);
}

async function heard(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => void (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  await new Promise((resolve) => {
    socket.on('close', resolve);
  });
  return text;
}

const request = (method: string, path: string, ...headers: string[]) =>
  [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', `Authorization: Bearer ${fullKey}`, ...headers, '', ''].join(
    '\r\n',
  );
const last = 'Connection: close';
const publish = (...headers: string[]) => request('POST', '/v1/events', 'Content-Type: application/json', ...headers);
const body = '{"type":"contact.created","data":{"name":"Zo\u00eb"}}';
const bytes = Buffer.from(body);
const published = { publish: { published: { id: 'evt_1', deliveries: 0 }, repeated: false } };

describe('over real sockets', () => {
  it('answers at the address it tells', async () => {
    const { server } = await start();
    const response = await fetch(`${server.url}/healthz`);
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('reads a body whole, in pieces and in chunks', async () => {
    const { server, calls } = await start(published);
    const length = `Content-Length: ${bytes.length}`;
    const whole = await talk(server.port, publish(length, last), bytes);
    const pieces = await talk(server.port, publish(length, last), bytes.subarray(0, 40), bytes.subarray(40));
    const chunk = `${bytes.length.toString(16)}\r\n`;
    const chunked = await talk(server.port, publish('Transfer-Encoding: chunked', last), chunk, bytes, '\r\n0\r\n\r\n');
    expect([whole, pieces, chunked].map((text) => text.slice(0, 21))).toEqual(Array(3).fill('HTTP/1.1 202 Accepted'));
    expect(calls.map(({ input }) => input)).toEqual(Array(3).fill(JSON.parse(body)));
  });

  it('keeps a connection for the next request, also after a refusal', async () => {
    const { server } = await start(published);
    const text = await talk(
      server.port,
      publish('Content-Length: 5') + '{"a":',
      request('GET', '/nothing'),
      publish(`Content-Length: ${bytes.length}`, last),
      bytes,
    );
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400', 'HTTP/1.1 404', 'HTTP/1.1 202']);
  });

  it('answers HEAD without a body', async () => {
    const { server } = await start();
    const text = await talk(server.port, request('HEAD', '/v1/webhooks/subscriptions/sub_1', last));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text.split('\r\n\r\n')[1]).toBe('');
  });

  it('answers 405 with the methods', async () => {
    const { server } = await start();
    const text = await talk(server.port, request('PUT', '/v1/events', last));
    expect(text).toMatch(/^HTTP\/1\.1 405 [\s\S]*\r\nallow: GET, HEAD, POST\r\n/i);
  });

  it('answers 415 and 400 as problems', async () => {
    const { server } = await start();
    const form = await talk(
      server.port,
      request('POST', '/v1/keys', 'Content-Type: text/plain', 'Content-Length: 2', last),
      '{}',
    );
    const broken = await talk(
      server.port,
      request('POST', '/v1/keys', 'Content-Type: application/json', 'Content-Length: 1', last),
      '{',
    );
    expect(form).toMatch(/^HTTP\/1\.1 415 [\s\S]*application\/problem\+json[\s\S]*"code":"unsupported_media_type"/);
    expect(broken).toMatch(/^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"code":"invalid_json"/);
  });

  it('streams an answer of MCP as it comes and tells it when the client is gone', async () => {
    let told: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      told = resolve;
    });
    const mcp = async (asked: Request) => {
      asked.signal.addEventListener('abort', () => told());
      const stream = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('data: 1\n\n')) });
      return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
    };
    const { app } = fakeApp({}, { mcp });
    const server = await listen(app, { host: '127.0.0.1', port: 0, log: fakeLog().log });
    open.push(server);
    const controller = new AbortController();
    const headers = { authorization: `Bearer ${fullKey}`, 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: '{}', signal: controller.signal };
    const response = await fetch(`${server.url}/mcp`, init);
    const first = await response.body?.getReader().read();
    expect(Buffer.from(first?.value ?? []).toString()).toBe('data: 1\n\n');
    controller.abort();
    await gone;
  });
});

describe('hosts over real sockets', () => {
  const asking = (...lines: string[]) => [...lines, last, '', ''].join('\r\n');

  it.each([
    ['a foreign host', asking('GET /healthz HTTP/1.1', 'Host: evil.example.net'), 403],
    ['a host that is none', asking('GET /healthz HTTP/1.1', 'Host: local host'), 403],
    ['a host with a path', asking('GET /healthz HTTP/1.1', 'Host: localhost/evil'), 403],
    ['two hosts', asking('GET /healthz HTTP/1.1', 'Host: 127.0.0.1', 'Host: evil.example.net'), 403],
    [
      'an absolute target beside a foreign host',
      asking('GET http://127.0.0.1/healthz HTTP/1.1', 'Host: evil.example.net'),
      403,
    ],
    ['no host', asking('GET /healthz HTTP/1.1'), 400],
    ['a target that is no path', asking('OPTIONS * HTTP/1.1', 'Host: 127.0.0.1'), 404],
    ['our host', asking('GET /healthz HTTP/1.1', 'Host: 127.0.0.1'), 200],
    ['an absolute target', asking('GET http://127.0.0.1/healthz HTTP/1.1', 'Host: 127.0.0.1'), 200],
    ['our host under IPv6', asking('GET /healthz HTTP/1.1', 'Host: [::1]:5'), 200],
    ['a foreign origin', asking('GET /healthz HTTP/1.1', 'Host: 127.0.0.1', 'Origin: http://evil.example.net'), 403],
  ])('%s', async (_, text, status) => {
    const { server } = await start();
    expect(await talk(server.port, text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });
});

describe('limits of a connection', () => {
  it('headers have to come in time', async () => {
    const { server } = await start({}, { headersTimeoutMs: 100, timeoutCheckIntervalMs: 20 });
    expect(await talk(server.port, 'GET /healthz HTTP/1.1\r\nHost: 127')).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('a body has to come in time', async () => {
    const { server, calls } = await start(
      {},
      { headersTimeoutMs: 50, requestTimeoutMs: 100, timeoutCheckIntervalMs: 20 },
    );
    const text = await talk(server.port, publish('Content-Length: 100'), '{"type":');
    expect(text).not.toMatch(/^HTTP\/1\.1 2/);
    expect(calls).toEqual([]);
  });

  it('headers have to be small', async () => {
    const { server } = await start();
    const text = await talk(server.port, request('GET', '/healthz', `X-Large: ${'x'.repeat(17 * 1024)}`));
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
  });

  it.each([
    ['announced', `Content-Length: ${64 * 1024 * 1024}`, ''],
    ['in chunks without an end', 'Transfer-Encoding: chunked', '10000\r\n'],
  ])('a body too large, %s, is answered 413 and cut', async (_, header, prefix) => {
    const { server, calls } = await start();
    const socket = connect(server.port, '127.0.0.1');
    const answer = heard(socket);
    const piece = Buffer.concat([Buffer.from(prefix), Buffer.alloc(0x10000, 32), Buffer.from(prefix ? '\r\n' : '')]);
    let sent = 0;
    const send = () => {
      while (!socket.destroyed && sent < 1024 * 1024 * 1024) {
        sent += piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.on('drain', send);
    socket.write(publish(header));
    send();
    expect(await answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*"code":"payload_too_large"/);
    expect(sent).toBeLessThan(256 * 1024 * 1024);
    expect(calls).toEqual([]);
  });

  it('connections beyond the limit are dropped', async () => {
    const { server } = await start({}, { connectionsMax: 1 });
    const first = connect(server.port, '127.0.0.1');
    first.write(request('GET', '/healthz'));
    await once(first, 'data');
    expect(await talk(server.port, request('GET', '/healthz'))).toBe('');
    first.destroy();
  });
});

describe('a client that hangs up', () => {
  /** A server whose requests are shown to `look` first, and a client that has sent a part of one. */
  async function startLooked(
    answers: Record<string, unknown>,
    options: object,
    look: (incoming: IncomingMessage, client: Socket) => void,
  ) {
    const fake = fakeApp(answers, options);
    let client: Socket | undefined;
    const looked = {
      fetch(asked: Request, bindings: AppEnv['Bindings']) {
        if (bindings.incoming && client) look(bindings.incoming, client);
        return fake.app.fetch(asked, bindings);
      },
    } as App;
    const server = await listen(looked, { host: '127.0.0.1', port: 0, log: fakeLog().log });
    open.push(server);
    client = connect(server.port, '127.0.0.1');
    client.write(`${publish('Content-Length: 100')}{"type":`);
    return fake;
  }

  it('inside its body ends its request, and is no error', async () => {
    const { calls, lines } = await startLooked(published, {}, (incoming, client) => {
      incoming.on('newListener', (name) => {
        if (name === 'data') client.resetAndDestroy();
      });
    });
    await until(() => lines.length > 0);
    expect(lines).toMatchObject([{ level: 'debug', facts: { status: 400 } }]);
    expect(calls).toEqual([]);
  });

  it('while its key is looked up ends its request', async () => {
    const { core } = fakeCore(published);
    let hungUp: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      hungUp = resolve;
    });
    const authenticate: Core['authenticate'] = async (...asked) => {
      await closed;
      return core.authenticate(...asked);
    };
    const { lines } = await startLooked({}, { core: { ...core, authenticate } }, (incoming, client) => {
      incoming.once('close', hungUp);
      client.resetAndDestroy();
    });
    await until(() => lines.length > 0);
    expect(lines).toMatchObject([{ facts: { status: 400 } }]);
  });
});

describe('start and end', () => {
  it('a port that is taken is an error', async () => {
    const { app, server } = await start();
    await expect(listen(app, { host: '127.0.0.1', port: server.port, log: fakeLog().log })).rejects.toThrow(
      /EADDRINUSE/,
    );
  });

  it('close lets an answer under way end, and takes no more requests', async () => {
    let finish: (value: unknown) => void = () => undefined;
    const held = new Promise((resolve) => {
      finish = resolve;
    });
    let arrived: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const getSubscription = () => {
      arrived();
      return held;
    };
    const { server } = await start({ getSubscription }, { closeGraceMs: 10_000 });
    const answer = fetch(`${server.url}/v1/webhooks/subscriptions/sub_1`, {
      headers: { authorization: `Bearer ${fullKey}` },
    });
    await waiting;
    const closed = server.close();
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow('fetch failed');
    finish({ id: 'sub_1' });
    expect(await (await answer).json()).toEqual({ id: 'sub_1' });
    await closed;
    open.splice(0);
  });

  it('close cuts what does not end within its grace', async () => {
    let arrived: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const getSubscription = () => {
      arrived();
      return new Promise(() => undefined);
    };
    const { server } = await start({ getSubscription }, { closeGraceMs: 50 });
    const answer = talk(server.port, request('GET', '/v1/webhooks/subscriptions/sub_1'));
    await waiting;
    await server.close();
    expect(await answer).toBe('');
    open.splice(0);
  });
});
