import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Order, Report } from './crowd-sender.ts';
import type { SendResult } from '../../src/core/ports/sender.ts';
import { bomb, chunked, manyHeaders } from './hostile-receivers.ts';
import { certificate, listen, onRequest, repeat, respond } from './receiver.ts';

const times = 100;
/** For those that only the deadline ends, and for the others. */
const shortDeadlineMs = 2_000;
const longDeadlineMs = 10_000;
const slackMs = 1_000;
/**
 * Alone the process grows by 40 to 48 MB (`npm run test:crowd`). Beside tests that hold it up more lies unread at once: at
 * most 64 KiB from each of 1,400 sockets, 88 MiB.
 */
const grownBytesMax = (process.env['TEST_ALONE'] === undefined ? 150 : 50) * 1_024 * 1_024;

interface Harm {
  behave: (socket: Socket) => void;
  expected: Pick<SendResult, 'error' | 'responseCode'>;
}
const answers = (text: string | Buffer) => onRequest((socket) => socket.write(text));
/** Endless ones write in measure: the machine that is filled up here would be the one that measures. */
const thenEvery = (text: string, ms: number, drip: string) =>
  onRequest((socket) => {
    socket.write(text);
    repeat(socket, ms, drip);
  });
const nothing = (error: SendResult['error']) => ({ error, responseCode: null });
const ok = (error: SendResult['error']) => ({ error, responseCode: 200 });
const flood = 'x'.repeat(9_000);

/** The ways in which a client without care was held, filled up or confused. */
const harms: Record<string, Harm> = {
  'a 103 every 300 ms': {
    behave: thenEvery('', 300, 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    expected: nothing('timeout'),
  },
  'a byte of the body every 500 ms': {
    behave: thenEvery('HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n', 500, 'x'),
    expected: ok('timeout'),
  },
  'an endless body': { behave: thenEvery('HTTP/1.1 200 OK\r\n\r\n', 50, flood), expected: ok('response_too_large') },
  'an endless chunk extension': { behave: thenEvery(`${chunked}1;`, 50, flood), expected: ok('timeout') },
  'a gzip bomb': {
    behave: onRequest((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
      socket.write(bomb);
    }),
    expected: ok(null),
  },
  '3,000 headers': { behave: respond(200, 'ok', manyHeaders), expected: ok(null) },
  'a header of 1 MiB': {
    behave: respond(200, 'ok', `x-a: ${'a'.repeat(2 ** 20)}\r\n`),
    expected: nothing('invalid_response'),
  },
  'hanging in TLS': { behave: () => {}, expected: nothing('timeout') },
  '3,000 headers, then a byte of the body every 500 ms': {
    behave: thenEvery(`HTTP/1.1 200 OK\r\n${manyHeaders}content-length: 9000\r\n\r\n`, 500, 'x'),
    expected: ok('timeout'),
  },
  '200, then a reset inside the body': {
    behave: onRequest((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () => socket.resetAndDestroy());
    }),
    expected: ok(null),
  },
  '101': {
    behave: answers('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'),
    expected: nothing('http_1xx'),
  },
  'an SSH banner': {
    behave: (socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n'),
    expected: nothing('invalid_response'),
  },
  'control bytes': { behave: answers('\u0000\u0001\u0002\u0003'), expected: nothing('invalid_response') },
};
/** Asked for by name: nobody answers for it. */
const hangingInDns = 'https://silent.example.com/';

/** How far an answer came by the deadline is the machine's business. */
function worded({ error, responseCode }: Harm['expected']): string {
  return error === 'timeout' ? error : `${responseCode} ${error}`;
}

/**
 * Left to itself V8 collects late, and a process grows by a hundred MB of garbage before it looks. Here it may not: 30 MB
 * of heap are twice what the idle sender has, and who needs more dies of it. So what the process takes is what the attempts
 * need, buffers and sockets included.
 */
const thrifty = ['--expose-gc', '--max-semi-space-size=1', '--max-old-space-size=30'];

async function sendAll(order: Order): Promise<Report> {
  const program = fileURLToPath(new URL('crowd-sender.ts', import.meta.url));
  const child = spawn(process.execPath, [...thrifty, program], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  child.stdin.end(JSON.stringify(order));
  await once(child, 'close');
  return JSON.parse(text) as Report;
}

test('a hundred of each hostile receiver at once: every attempt ends in time with its error, in bounded memory', async () => {
  const named = Object.entries(harms);
  const servers = await Promise.all(named.map(([, { behave }]) => listen(behave)));
  const nameOf = new Map([[hangingInDns, 'hanging in DNS']]);
  for (const [index, [name]] of named.entries()) {
    const scheme = name === 'hanging in TLS' ? 'https' : 'http';
    nameOf.set(`${scheme}://127.0.0.1:${servers[index]?.port}/`, name);
  }
  const isEndless = (name: string) => harms[name] === undefined || harms[name].expected.error === 'timeout';
  const urlsOf = (endless: boolean) => [...nameOf].flatMap(([url, name]) => (isEndless(name) === endless ? [url] : []));
  const report = await sendAll({
    waves: [
      { urls: urlsOf(false), deadlineMs: longDeadlineMs },
      { urls: urlsOf(true), deadlineMs: shortDeadlineMs },
    ],
    times,
    ca: certificate,
  });
  await Promise.all(servers.map((server) => server.close()));

  const tally: Record<string, number> = {};
  for (const { url, ...end } of report.outcomes) {
    const key = `${nameOf.get(url)}: ${worded(end)}`;
    tally[key] = (tally[key] ?? 0) + 1;
  }
  const expected = [...named.map(([name, harm]) => `${name}: ${worded(harm.expected)}`), 'hanging in DNS: timeout'];
  expect(tally).toEqual(Object.fromEntries(expected.map((each) => [each, times])));
  expect(Math.max(...report.outcomes.map(({ tookMs, deadlineMs }) => tookMs - deadlineMs))).toBeLessThan(slackMs);
  expect(report.grownBytesMax).toBeLessThan(grownBytesMax);
}, 60_000);
