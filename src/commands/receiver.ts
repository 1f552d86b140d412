import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isGenuine, type Verdicts, verdictsOf } from './verdicts.ts';

const bodyBytesMax = 1024 * 1024;
/** Ids whose attempts are counted; the oldest are forgotten. */
const idsMax = 10_000;

export interface ReceiverOptions {
  /** 0 picks a free one. */
  port: number;
  /** Asked at every request, since a secret can become known later. */
  secret: () => string | null;
  /** The first attempts of each `webhook-id` that are answered with `failureStatus`. */
  failures: number;
  failureStatus: number;
  onDelivery(delivery: Delivery): void;
}

/** A request as it came; every text in it is a stranger's. */
export interface Delivery {
  receivedAt: Date;
  method: string;
  path: string;
  id: string | null;
  eventType: string | null;
  /** How often this id came, this one included. */
  attempt: number;
  isTest: boolean;
  verdicts: Verdicts;
  body: string;
  /** A secret is known, and the request is not signed with it: answered 401. */
  refused: boolean;
  answeredStatus: number;
}

export interface Receiver {
  url: string;
  port: number;
  close(): Promise<void>;
}

/** A small webhook receiver on loopback, which answers 200, or fails as often as it is told, or refuses what is not signed. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const countAttempt = makeAttemptCounter();
  const server = createServer((request, response) => {
    receive(request, response, options, countAttempt).catch(() => response.destroy());
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  options: ReceiverOptions,
  countAttempt: (id: string) => number,
): Promise<void> {
  const body = await readBody(request);
  if (body === null) {
    response.writeHead(413, { connection: 'close' }).end();
    return;
  }
  const { headers } = request;
  const id = header(headers['webhook-id']);
  const attempt = id === null ? 1 : countAttempt(id);
  const verdicts = verdictsOf(headers, body, options.secret());
  const refused = !isGenuine(verdicts);
  const answeredStatus = refused ? 401 : attempt <= options.failures ? options.failureStatus : 200;
  response.writeHead(answeredStatus).end(refused ? 'It is not signed with the secret of this receiver.\n' : '');
  const branded = (suffix: string) =>
    header(headers[Object.keys(headers).find((name) => name.startsWith('x-') && name.endsWith(suffix)) ?? '']);
  options.onDelivery({
    receivedAt: new Date(),
    method: request.method ?? '',
    path: request.url ?? '',
    id,
    eventType: branded('-event'),
    attempt,
    isTest: branded('-test') === 'true',
    verdicts,
    body,
    refused,
    answeredStatus,
  });
}

/** Null when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bodyBytesMax) return null;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function makeAttemptCounter(): (id: string) => number {
  const attempts = new Map<string, number>();
  return (id) => {
    const count = (attempts.get(id) ?? 0) + 1;
    attempts.delete(id);
    attempts.set(id, count);
    const [oldest] = attempts.keys();
    if (attempts.size > idsMax && oldest !== undefined) attempts.delete(oldest);
    return count;
  };
}

function header(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
