import { connect, type Socket } from 'node:net';
import type { ClientsWork } from './clients.ts';

/**
 * The clients. They work on bare sockets and send bytes made once: an HTTP client would need more of the machine than
 * what is being measured.
 */
const work = JSON.parse(process.argv[2] ?? '') as ClientsWork;
const { hostname, port, host, pathname } = new URL(work.url);
const head = Object.entries({ host, 'content-length': Buffer.byteLength(work.body), ...work.headers })
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
const request = Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head}\r\n${work.body}`);
const headEnd = '\r\n\r\n';
const lengthPattern = /\r\ncontent-length: *(\d+)/i;
let answered = 0;
let stopped = false;

function converse(socket: Socket): void {
  let text = '';
  socket.setNoDelay(true);
  socket.setEncoding('latin1');
  socket.on('error', fail);
  socket.on('close', () => {
    if (!stopped) fail(new Error('the server hung up'));
  });
  socket.on('data', (chunk: string) => {
    text += chunk;
    const end = text.indexOf(headEnd);
    if (end < 0) return;
    const length = lengthPattern.exec(text)?.[1];
    if (length === undefined) return fail(new Error(`an answer without a length: ${text.slice(0, 200)}`));
    if (text.length < end + headEnd.length + Number(length)) return;
    if (!text.startsWith('HTTP/1.1 202 ')) return fail(new Error(`answered ${text.slice(0, 500)}`));
    text = '';
    answered++;
    if (!stopped) socket.write(request);
  });
  socket.write(request);
}

function fail(error: Error): void {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

const sockets = Array.from({ length: work.clients }, () => connect(Number(port), hostname));
for (const socket of sockets) converse(socket);
setTimeout(() => {
  const before = answered;
  const startedAt = performance.now();
  setTimeout(() => {
    const perSecond = ((answered - before) / (performance.now() - startedAt)) * 1_000;
    stopped = true;
    for (const socket of sockets) socket.destroy();
    process.stdout.write(`per second: ${perSecond}\n`);
  }, work.seconds * 1_000);
}, work.warmUpSeconds * 1_000);
