import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import { PosthornError } from '../core/errors.ts';
import type { Log } from '../core/ports/ports.ts';
import { toResponse } from './answer.ts';
import type { App } from './context.ts';
import { httpLimits } from './limits.ts';
import { problemAnswer } from './problem.ts';

export interface Listening {
  /** `http://HOST:PORT` with the port that was really taken. */
  url: string;
  port: number;
  /** Takes no more requests, lets those under way end within 5 s, then cuts them. */
  close(): Promise<void>;
}

export interface ListenOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  log: Log;
  /** Narrower ones than the usual, for tests. */
  limits?: Partial<Record<keyof typeof httpLimits, number>>;
}

/** Serves the app over HTTP/1.1 with limits on everything. Rejects when the port cannot be had. */
export async function listen(app: App, options: ListenOptions): Promise<Listening> {
  const { host, log } = options;
  const limits = { ...httpLimits, ...options.limits };
  const listener = getRequestListener(app.fetch, {
    hostname: host,
    errorHandler: (error) => badRequest(error, log),
  });
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.timeoutCheckIntervalMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      maxHeaderSize: limits.headerBytesMax,
      noDelay: true,
    },
    (incoming, outgoing) => {
      void listener(incoming, outgoing).then(() => cutSlowReader(outgoing, limits.answerTimeoutMs));
    },
  );
  server.maxConnections = limits.connectionsMax;
  server.listen(options.port, host);
  await once(server, 'listening');
  server.on('error', (error) => log.error({ err: error }, 'http server failed'));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    close: () => close(server, limits.closeGraceMs),
  };
}

/** A client that asks and does not read would keep its connection, and the answer in memory, for ever. */
function cutSlowReader(outgoing: ServerResponse, timeoutMs: number): void {
  // Nearly every answer is out of our hands by now, and costs no timer.
  if (outgoing.closed || outgoing.socket?.writableLength === 0) return;
  const timer = setTimeout(() => outgoing.destroy(), timeoutMs);
  outgoing.once('close', () => clearTimeout(timer));
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // A connection whose answer ends while the server closes becomes idle, and would stay so until its keep-alive ends.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const grace = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(grace);
}

/** What the adapter itself refuses before there is a request: a Host header or a target of which no URL can be made. */
function badRequest(error: unknown, log: Log): Response {
  if (!(error instanceof RequestError)) {
    log.error({ err: error }, 'request failed');
    return toResponse(problemAnswer(error, 'none'), 'none');
  }
  // The adapter tells no more of a host that the URL parser refused than that there was a cause.
  const aboutHost = error.cause !== undefined || /host/i.test(error.message);
  const known = aboutHost
    ? new PosthornError('host_not_allowed', 'The Host header does not name this server.')
    : new PosthornError('not_found', 'The request target is not a path.');
  return toResponse(problemAnswer(known, 'none'), 'none');
}
