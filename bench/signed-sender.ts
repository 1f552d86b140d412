import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { Agent, type Dispatcher } from 'undici';

/** What is sent, as Posthorn sends it. */
export interface SenderWork {
  url: string;
  concurrency: number;
  /** Of the events. */
  type: string;
  version: string;
  brand: string;
}

export interface SignedSender {
  /** Signs twice and sends one event, whose data are JSON text. `done` is called with the status of the answer. */
  send(id: string, data: string, done: (status: number) => void): void;
  close(): Promise<void>;
}

/** The sender of everything that Posthorn is compared with: undici's cheapest way, and the same bytes. */
export function makeSignedSender(work: SenderWork): SignedSender {
  const { origin, pathname: path } = new URL(work.url);
  const agent = new Agent({ connections: work.concurrency, pipelining: 1, allowH2: false });
  const secret = randomBytes(24).toString('base64');
  const standardKey = createSecretKey(secret, 'base64');
  const plainKey = createSecretKey(`whsec_${secret}`, 'utf8');
  return {
    send(id, data, done) {
      const now = Date.now();
      const seconds = Math.floor(now / 1_000);
      const body = `{"id":"${id}","type":"${work.type}","timestamp":"${new Date(now).toISOString()}","data":${data}}`;
      const standard = createHmac('sha256', standardKey).update(`${id}.${seconds}.${body}`).digest('base64');
      const headers = [
        'content-type',
        'application/json',
        'user-agent',
        `Posthorn/${work.version}`,
        'webhook-id',
        id,
        'webhook-timestamp',
        String(seconds),
        'webhook-signature',
        `v1,${standard}`,
        `X-${work.brand}-Event`,
        work.type,
        `X-${work.brand}-Signature`,
        createHmac('sha256', plainKey).update(body).digest('hex'),
      ];
      agent.dispatch({ origin, path, method: 'POST', headers, body }, answerHandler(done));
    },
    close: () => agent.close(),
  };
}

function answerHandler(done: (status: number) => void): Dispatcher.DispatchHandler {
  let answered = 0;
  return {
    onRequestStart() {},
    onResponseStart(_controller, status) {
      if (status !== 200) throw new Error(`the sink answered ${status}`);
      answered = status;
    },
    onResponseData() {},
    onResponseEnd: () => done(answered),
    onResponseError(_controller, error) {
      throw error;
    },
  };
}

/** The id of the nth event, as long as Posthorn's. */
export function eventId(index: number): string {
  return `evt_${String(index).padStart(26, '0')}`;
}
