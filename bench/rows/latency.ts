import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Agent, type Dispatcher } from 'undici';
import { steadily } from '../pace.ts';
import type { Figure, Row } from '../row.ts';
import { quantile } from '../samples.ts';
import { sampleEvent } from '../sample-event.ts';
import { authorization, startServer, subscribe } from '../server.ts';
import type { Stage } from '../stage.ts';
import { until } from '../until.ts';

const perSecond = 500;
const seconds = 30;
const bareSeconds = 10;
/** Before it counts: what is measured is a server that runs, not one that starts. */
const warmUpSeconds = 3;
const reachP50Ms = 5;
const reachP99Ms = 25;
const arriveMsMax = 60_000;

/** Published to received, by one clock: this process publishes and receives. */
export const latency: Row = {
  name: 'latency',
  work: `${perSecond} events/s for ${seconds} s: publish request sent to request received`,
  async measure(stage: Stage): Promise<Figure[]> {
    const receiver = await openReceiver(stage);
    const server = await startServer({ folder: join(stage.folder, 'posthorn') });
    stage.later(() => server.stop());
    await subscribe(server, receiver.url);
    const publish = {
      url: `${server.url}/v1/events`,
      headers: () => ['authorization', authorization, 'content-type', 'application/json'],
      body: (id: string) => JSON.stringify({ id, ...sampleEvent }),
    };
    await receiver.measure({ name: 'warm', seconds: warmUpSeconds, ...publish });
    stage.progress(`publishing ${perSecond} events/s for ${seconds} s`);
    const ours = await receiver.measure({ name: 'ours', seconds, ...publish });
    await server.stop();
    stage.progress(`posting to the receiver itself for ${bareSeconds} s`);
    const bare = await receiver.measure({
      name: 'bare',
      seconds: bareSeconds,
      url: receiver.url,
      headers: (id) => ['webhook-id', id, 'content-type', 'application/json'],
      body: (id) => JSON.stringify({ id, ...sampleEvent }),
    });
    return [figure('p50', 0.5, ours, bare, reachP50Ms), figure('p99', 0.99, ours, bare, reachP99Ms)];
  },
};

function figure(what: string, part: number, ours: number[], bare: number[], atMost: number): Figure {
  const value = quantile(ours, part);
  const against = { what: 'a POST to the receiver itself', value: quantile(bare, part), samples: [] };
  return {
    what,
    value,
    unit: 'ms',
    samples: [],
    against,
    ratio: value / against.value,
    reach: { of: 'value', atMost },
  };
}

interface Load {
  /** Tells the events of one load from those of another. */
  name: string;
  seconds: number;
  url: string;
  headers: (id: string) => string[];
  body: (id: string) => string;
}

interface Receiver {
  url: string;
  /** Sends at the row's rate without waiting for answers. Answers how long each event was on its way, in milliseconds. */
  measure(load: Load): Promise<number[]>;
}

async function openReceiver(stage: Stage): Promise<Receiver> {
  const sentAt = new Map<string, number>();
  const tookMs: number[] = [];
  const server = createServer((request, response) => {
    const now = performance.now();
    const id = String(request.headers['webhook-id']);
    const sent = sentAt.get(id);
    sentAt.delete(id);
    if (sent !== undefined) tookMs.push(now - sent);
    request.resume();
    response.end();
  });
  stage.later(async () => server.close().closeAllConnections());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ connections: 64, pipelining: 1 });
  stage.later(() => agent.destroy());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    async measure({ name, seconds: lasts, url, headers, body }) {
      tookMs.length = 0;
      const { origin, pathname: path } = new URL(url);
      const failures: unknown[] = [];
      await steadily(perSecond, lasts, (index) => {
        const id = `${name}_${index}`;
        sentAt.set(id, performance.now());
        agent.dispatch({ origin, path, method: 'POST', headers: headers(id), body: body(id) }, answerWatch(failures));
      });
      await until('the last event', { everyMs: 10, msMax: arriveMsMax }, async () => {
        if (failures.length > 0) throw failures[0];
        return sentAt.size === 0 ? true : null;
      });
      return [...tookMs];
    },
  };
}

function answerWatch(failures: unknown[]): Dispatcher.DispatchHandler {
  return {
    onRequestStart() {},
    onResponseStart(_controller, status) {
      if (status >= 300) failures.push(new Error(`an event was answered ${status}`));
    },
    onResponseData() {},
    onResponseEnd() {},
    onResponseError: (_controller, error) => void failures.push(error),
  };
}
