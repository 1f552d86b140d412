import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { Agent, type Dispatcher } from 'undici';
import type { LoopWork } from './loop.ts';

const work = JSON.parse(process.argv[2] ?? '') as LoopWork;
const { origin, pathname: path } = new URL(work.url);
const agent = new Agent({ connections: work.concurrency, pipelining: 1, allowH2: false });
const secret = randomBytes(24).toString('base64');
const standardKey = createSecretKey(secret, 'base64');
const plainKey = createSecretKey(`whsec_${secret}`, 'utf8');
const startedAt = performance.now();
let begun = 0;
let answered = 0;

const handler: Dispatcher.DispatchHandler = {
  onRequestStart() {},
  onResponseStart(_controller, status) {
    if (status !== 200) throw new Error(`the sink answered ${status}`);
  },
  onResponseData() {},
  onResponseEnd() {
    answered++;
    if (begun < work.requests) sendOne();
    else if (answered === work.requests) finish();
  },
  onResponseError(_controller, error) {
    throw error;
  },
};

function sendOne(): void {
  const id = `evt_${String(begun++).padStart(26, '0')}`;
  const now = Date.now();
  const seconds = Math.floor(now / 1_000);
  const body = `{"id":"${id}","type":"${work.type}","timestamp":"${new Date(now).toISOString()}","data":${work.data}}`;
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
  agent.dispatch({ origin, path, method: 'POST', headers, body }, handler);
}

function finish(): void {
  process.stdout.write(`seconds: ${(performance.now() - startedAt) / 1_000}\n`);
  void agent.close();
}

for (let slot = 0; slot < Math.min(work.concurrency, work.requests); slot++) sendOne();
