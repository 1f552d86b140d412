import { startReceiver } from '../support/receiver.ts';
import { type Server, startServer } from '../support/server.ts';
import { readLog } from './crash.ts';

export interface SeveralOptions {
  /** Of an empty database. */
  databaseUrl: string;
  ms: number;
  /** Events published by all together. */
  perSecond: number;
}

export interface SeveralResult {
  published: number;
  /** Answers to publishers other than 202. */
  refused: string[];
  /** Events that the receiver never got, and those that it got more than once. */
  lost: string[];
  twice: string[];
  /** Events whose log holds another number of attempts than one. */
  miscounted: string[];
  /** From the publisher's answer to the request, for what other processes send than the one that took it. */
  delayMs: { p50: number; p99: number; max: number };
}

const settleMsMax = 15_000;

/** Four processes on one database: each takes events, and half of them do not deliver, so that others have to. */
export async function several({ databaseUrl, ms, perSecond }: SeveralOptions): Promise<SeveralResult> {
  const receiver = await startReceiver();
  const arrived = new Map<string, number>();
  receiver.respond(({ headers }, response) => {
    const id = String(headers['webhook-id']);
    if (!arrived.has(id)) arrived.set(id, performance.now());
    response.writeHead(204).end();
  });
  const servers: Server[] = [];
  try {
    const start = async (dispatch: 'on' | 'off') =>
      void servers.push(await startServer(databaseUrl, { POSTHORN_DISPATCH: dispatch }));
    await start('off');
    await start('off');
    await Promise.all([start('on'), start('on')]);
    await servers[0]?.request('POST', '/v1/webhooks/subscribe', { url: receiver.url, events: ['*'] });
    const answers = await publishAll(servers, ms, perSecond);
    const taken = answers.filter(({ status }) => status === 202);
    const deadline = performance.now() + settleMsMax;
    while (arrived.size < taken.length && performance.now() < deadline) await wait(10);
    await Promise.all(servers.map((server) => server.kill('SIGTERM')));
    const { attempts } = await readLog(databaseUrl);
    const seen = Map.groupBy(receiver.requests, ({ headers }) => String(headers['webhook-id']));
    return {
      published: answers.length,
      refused: answers.filter(({ status }) => status !== 202).map(({ id, status }) => `${id}: ${status}`),
      lost: taken.filter(({ id }) => !seen.has(id)).map(({ id }) => id),
      twice: [...seen].filter(([, requests]) => requests.length > 1).map(([id]) => id),
      miscounted: taken.filter(({ id }) => attempts.get(id) !== 1).map(({ id }) => id),
      delayMs: delays(taken.filter(({ bySilent }) => bySilent).map(({ id, at }) => (arrived.get(id) ?? Infinity) - at)),
    };
  } finally {
    await Promise.all(servers.map((server) => server.kill('SIGKILL')));
    await receiver.close();
  }
}

interface Answer {
  id: string;
  status: number;
  /** When it came. */
  at: number;
  bySilent: boolean;
}

/** At a steady pace, in turns, whether answers come or not. */
async function publishAll(servers: Server[], ms: number, perSecond: number): Promise<Answer[]> {
  const answers: Promise<Answer>[] = [];
  const began = performance.now();
  for (let n = 0; n < (ms * perSecond) / 1_000; n++) {
    await wait(began + (n * 1_000) / perSecond - performance.now());
    const place = n % servers.length;
    const id = `event-${n}`;
    const request = servers[place]?.request('POST', '/v1/events', { type: 'contact.created', id, data: { n } });
    answers.push(
      Promise.resolve(request).then((answer) => ({
        id,
        status: answer?.status ?? 0,
        at: performance.now(),
        bySilent: place < servers.length / 2,
      })),
    );
  }
  return Promise.all(answers);
}

function delays(all: number[]): SeveralResult['delayMs'] {
  const sorted = all.map((one) => Math.max(0, Math.round(one))).toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Infinity;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
