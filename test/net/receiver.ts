import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Clock } from '../../src/core/ports/ports.ts';

/** For receiver.example.com and 127.0.0.1, from 2020 to 2125; signed by itself. */
export const certificate = read('test-only-certificate.pem');
const key = read('test-only-key.pem');

export interface Receiver {
  port: number;
  /** Connections accepted so far. */
  connections: number;
  /** What clients have sent so far, of all connections. */
  received: string;
  close(): Promise<void>;
}

/** A server on the loopback that does to each connection what `behave` says, and nothing that HTTP asks for. */
export async function listen(
  behave: (socket: Socket) => void,
  options: { host?: string; tls?: boolean } = {},
): Promise<Receiver> {
  const sockets = new Set<Socket>();
  const accept = (socket: Socket) => {
    sockets.add(socket);
    // Or the end of a long answer waits for an acknowledgement that the client's system delays.
    socket.setNoDelay(true);
    // Clients cut connections here; what they cut is asserted on their side.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      receiver.received += bytes.toString('latin1');
    });
    receiver.connections += 1;
    behave(socket);
  };
  const server =
    options.tls === true
      ? createTlsServer({ cert: certificate, key, ALPNProtocols: ['h2', 'http/1.1'] }, accept)
      : createServer(accept);
  const receiver: Receiver = {
    port: 0,
    connections: 0,
    received: '',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => {
    server.listen(0, options.host ?? '127.0.0.1', () => resolve());
  });
  receiver.port = (server.address() as AddressInfo).port;
  return receiver;
}

/** Runs `answer` for every request that has arrived whole (they fit one packet here). */
export function onRequest(answer: (socket: Socket, request: string, nth: number) => void): (socket: Socket) => void {
  return (socket) => {
    let count = 0;
    socket.on('data', (bytes: Buffer) => {
      count += 1;
      answer(socket, bytes.toString('latin1'), count);
    });
  };
}

/** An answer with a length, after which the connection stays open. */
export function respond(status: number, body = '', headers = ''): (socket: Socket) => void {
  return onRequest((socket) =>
    socket.write(`HTTP/1.1 ${status} Whatever\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`),
  );
}

/** Writes `text` every `ms` until the connection is gone. */
export function repeat(socket: Socket, ms: number, text: string): void {
  const timer = setInterval(() => socket.write(text), ms);
  socket.on('close', () => clearInterval(timer));
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Stands still until it is told to go on. */
export class FakeClock implements Clock {
  #at = 1_790_000_000_000;
  #setBackMs = 0;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#at - this.#setBackMs;
  }

  monotonic(): number {
    return this.#at;
  }

  /** As an operator does who sets it by `ms` milliseconds: no time passes. */
  setBack(ms: number): void {
    this.#setBackMs += ms;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#at + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get waiting(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    const until = this.#at + ms;
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#at = Math.max(this.#at, next.at);
      next.run();
    }
    this.#at = until;
  }
}

function read(name: string): string {
  return readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8');
}
