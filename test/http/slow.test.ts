import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { App, AppEnv } from '../../src/http/context.ts';
import { httpLimits } from '../../src/http/limits.ts';
import { listen, type Listening } from '../../src/http/server.ts';
import { until } from '../support/until.ts';
import { fakeApp, fakeLog, fullKey } from './fake-core.ts';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** As many slow clients as the server takes connections. */
const slowClients = 20;
const short = { headersTimeoutMs: 150, requestTimeoutMs: 300, timeoutCheckIntervalMs: 20, connectionsMax: slowClients };

async function start(limits: Parameters<typeof listen>[1]['limits'], answers = {}, look?: (socket: Socket) => void) {
  const fake = fakeApp(answers);
  const looked = {
    fetch(asked: Request, bindings: AppEnv['Bindings']) {
      if (bindings.incoming !== undefined) look?.(bindings.incoming.socket);
      return fake.app.fetch(asked, bindings);
    },
  } as App;
  const server: Listening = await listen(looked, {
    host: '127.0.0.1',
    port: 0,
    log: fakeLog().log,
    limits: { closeGraceMs: 100, ...limits },
  });
  cleanups.push(() => server.close());
  return { ...fake, ...server };
}

/** A client that sends `text` and then the letter x, again and again, until the server hangs up; of no text, nothing more. */
function drip(port: number, text: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(text);
  const dripping = setInterval(() => text !== '' && socket.write('x'), 10);
  const stop = () => clearInterval(dripping);
  cleanups.push(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.once('close', () => {
      stop();
      resolve();
    });
  });
}

const head = (method: string, path: string, ...headers: string[]) =>
  [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, ''].join('\r\n');
const key = `Authorization: Bearer ${fullKey}`;
const json = 'Content-Type: application/json';
const endless = 'Content-Length: 100000';
const chunked = 'Transfer-Encoding: chunked';

const slow: [string, string][] = [
  ['say nothing', ''],
  ['drip the request line', 'GET /'],
  ['drip a header', `${head('GET', '/healthz')}X-Slow: `],
  ['drip a body', `${head('POST', '/v1/events', key, json, endless)}\r\n{"type":"`],
  ['drip a chunked body', `${head('POST', '/v1/events', key, json, chunked)}\r\nfffff\r\n`],
  ['drip a body to MCP', `${head('POST', '/mcp', key, json, endless)}\r\n{`],
  ['drip a body without a key', `${head('POST', '/v1/keys', json, endless)}\r\n{`],
  ['drip a body to where nothing is', `${head('POST', '/nothing', json, endless)}\r\n{`],
  ['drip a body to a route that reads none', `${head('GET', '/healthz', endless)}\r\n{`],
];

describe('clients that', () => {
  it.each(slow)('%s are cut, however many, and the server is there for others', async (_, text) => {
    const { url, port, calls } = await start(short);
    const gone = Array.from({ length: slowClients }, () => drip(port, text));
    await Promise.all(gone);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(calls).toEqual([]);
  });

  it('are slow take a place each for as long as they may, or the test above could not fail', async () => {
    const { url, port } = await start({ ...short, headersTimeoutMs: 60_000, requestTimeoutMs: 60_000 });
    for (let nth = 0; nth < slowClients; nth++) void drip(port, 'GET /');
    await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
  });

  it('ask and do not read are cut, and those that read are not', async () => {
    const description = 'x'.repeat(12 * 1024 * 1024);
    const sockets: Socket[] = [];
    const { port } = await start({ answerTimeoutMs: 200 }, { getSubscription: { description } }, (socket) =>
      sockets.push(socket),
    );
    const ask = (path: string) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      cleanups.push(() => void socket.destroy());
      socket.write(`${head('GET', path, key)}\r\n`);
      return socket;
    };
    const reading = ask('/healthz');
    await once(reading, 'data');
    ask('/v1/webhooks/subscriptions/sub_1').pause();
    await until(() => sockets[1]?.destroyed === true);
    reading.write(`${head('GET', '/healthz')}\r\n`);
    const [again] = (await once(reading, 'data')) as [Buffer];
    expect(again.toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
    expect(sockets[2]).toBe(sockets[0]);
  });
});

describe('the limits', () => {
  it('are these', () => {
    expect(httpLimits).toMatchObject({
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
      timeoutCheckIntervalMs: 1_000,
      answerTimeoutMs: 60_000,
      headerBytesMax: 16_384,
      connectionsMax: 4_096,
    });
  });
});
