import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from './until.ts';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Answers one request; the default is 204. */
export type Respond = (request: Received, response: ServerResponse, nth: number) => void;

/** A real receiver on loopback that keeps what it got. */
export interface Receiver {
  url: string;
  requests: Received[];
  respond(respond: Respond): void;
  /** Answers these statuses one after the other, then 204. */
  answer(...statuses: number[]): void;
  /** Resolves once `count` requests have come in all. */
  received(count: number): Promise<Received[]>;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const requests: Received[] = [];
  const ok: Respond = (_request, response) => response.writeHead(204).end();
  let respond = ok;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() };
      requests.push(received);
      respond(received, response, requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    respond(next) {
      respond = next;
    },
    answer(...statuses) {
      respond = (_request, response) => response.writeHead(statuses.shift() ?? 204).end();
    },
    async received(count) {
      await until(() => requests.length >= count);
      return requests;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
