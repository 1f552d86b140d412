import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { SendResult } from '../../src/core/ports/sender.ts';
import { onRequest, repeat, respond } from './receiver.ts';

/** Receivers that do harm, by accident or by intent. */

export const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
export const bomb = gzipSync(Buffer.alloc(60 * 1_024 * 1_024));
export const manyHeaders = Array.from({ length: 3_000 }, (_, index) => `x-flood-${index}: y\r\n`).join('');

export interface Hostile {
  name: string;
  behave: (socket: Socket) => void;
  expected: Partial<SendResult>;
  /** Goes on for ever, whatever the result says. Timeouts do so without saying. */
  endless?: boolean;
  tls?: boolean;
}
const answers = (text: string | Buffer) => onRequest((socket) => socket.write(text));
const thenEvery = (text: string, ms: number, drip: string) =>
  onRequest((socket) => {
    socket.write(text);
    repeat(socket, ms, drip);
  });
const nothing = (error: SendResult['error']) => ({ responseCode: null, error });
const status = (responseCode: number, error: SendResult['error'] = null) => ({ responseCode, error });
const kept = (bytes: number) => ({ excerpt: expect.objectContaining({ length: bytes }) as Buffer });

export const receivers: Hostile[] = [
  { name: 'accepts and says nothing', behave: () => {}, expected: nothing('timeout') },
  {
    name: '103 without end',
    behave: thenEvery('', 20, 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    expected: nothing('timeout'),
  },
  {
    name: '103, then it closes',
    behave: onRequest((socket) => socket.end('HTTP/1.1 103 Early Hints\r\n\r\n')),
    expected: nothing('http_1xx'),
  },
  {
    name: '103 twice, then 200',
    behave: answers(`${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2)}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n`),
    expected: status(200),
  },
  {
    name: '100 that nobody asked for',
    behave: answers('HTTP/1.1 100 Continue\r\n\r\n'),
    expected: nothing('http_1xx'),
  },
  {
    name: '101 that nobody asked for',
    behave: answers('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'),
    expected: nothing('http_1xx'),
  },
  {
    name: 'an SSH banner',
    behave: (socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n'),
    expected: nothing('invalid_response'),
  },
  { name: 'control bytes', behave: answers('\u0000\u0001\u0002\u0003'), expected: nothing('invalid_response') },
  {
    name: 'control bytes in a header',
    behave: answers('HTTP/1.1 200 OK\r\nx-a: \u0000\u0001\r\n\r\n'),
    expected: nothing('invalid_response'),
  },
  { name: 'HTTP/0.9', behave: answers('<html>hello</html>'), expected: nothing('invalid_response') },
  {
    name: 'half a header, then it closes',
    behave: onRequest((socket) => socket.end('HTTP/1.1 200 O')),
    expected: nothing('connection_reset'),
  },
  { name: 'half a header, then nothing', behave: answers('HTTP/1.1 200 O'), expected: nothing('timeout') },
  { name: 'a header that drips', behave: thenEvery('HTTP/1.1 200 OK\r\nx-a: ', 20, 'a'), expected: nothing('timeout') },
  { name: 'resets at once', behave: (socket) => socket.resetAndDestroy(), expected: nothing('connection_reset') },
  { name: 'closes at once', behave: (socket) => socket.end(), expected: nothing('connection_reset') },
  {
    name: 'resets after the request',
    behave: onRequest((socket) => socket.resetAndDestroy()),
    expected: nothing('connection_reset'),
  },
  {
    name: '200, then a reset inside the body',
    behave: onRequest((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () => socket.resetAndDestroy());
    }),
    expected: status(200),
  },
  {
    name: '200, then it closes inside the body',
    behave: onRequest((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')),
    expected: { ...status(200), ...kept(4) },
  },
  { name: '200 and a broken chunk', behave: answers(`${chunked}zz\r\n`), expected: status(200) },
  {
    name: 'a body that drips',
    behave: thenEvery('HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n', 10, 'x'),
    expected: status(200, 'timeout'),
  },
  {
    name: 'an error whose body drips',
    behave: thenEvery('HTTP/1.1 503 Busy\r\ncontent-length: 9000\r\n\r\n', 10, 'x'),
    expected: status(503),
    endless: true,
  },
  {
    name: 'an endless body',
    behave: thenEvery('HTTP/1.1 200 OK\r\n\r\n', 1, 'x'.repeat(9_000)),
    expected: { ...status(200, 'response_too_large'), ...kept(16_384) },
  },
  {
    name: 'an endless body in chunks',
    behave: thenEvery(chunked, 1, `1000\r\n${'x'.repeat(4_096)}\r\n`),
    expected: { ...status(200, 'response_too_large'), ...kept(16_384) },
  },
  {
    name: 'an error with an endless body',
    behave: thenEvery('HTTP/1.1 410 Gone\r\n\r\n', 1, 'x'.repeat(9_000)),
    expected: { ...status(410), ...kept(16_384) },
  },
  {
    name: 'an endless chunk extension',
    behave: thenEvery(`${chunked}1;`, 1, 'x'.repeat(9_000)),
    expected: status(200, 'timeout'),
  },
  {
    name: 'a body of exactly 64 KiB',
    behave: respond(200, 'x'.repeat(65_536)),
    expected: { ...status(200), ...kept(16_384) },
  },
  {
    name: 'a body of 64 KiB and a byte',
    behave: respond(200, 'x'.repeat(65_537)),
    expected: { ...status(200, 'response_too_large'), ...kept(16_384) },
  },
  {
    name: 'a gzip bomb',
    behave: onRequest((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
      socket.write(bomb);
    }),
    expected: { ...status(200), ...kept(16_384) },
  },
  { name: '3,000 headers', behave: respond(200, 'ok', manyHeaders), expected: { ...status(200), ...kept(2) } },
  {
    name: 'a header of 1 MiB',
    behave: respond(200, 'ok', `x-a: ${'a'.repeat(2 ** 20)}\r\n`),
    expected: nothing('invalid_response'),
  },
  {
    name: 'two lengths that differ',
    behave: answers('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'),
    expected: nothing('invalid_response'),
  },
  {
    name: 'a response before it has read the request, through TLS',
    behave: (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
    expected: status(200),
    tls: true,
  },
  {
    name: 'an SSH banner through TLS',
    behave: (socket) => socket.write('SSH-2.0\r\n'),
    expected: nothing('invalid_response'),
    tls: true,
  },
  {
    name: 'closes at once through TLS',
    behave: (socket) => socket.end(),
    expected: nothing('connection_reset'),
    tls: true,
  },
];
