import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import { steadily } from './pace.ts';
import { sampleEvent } from './sample-event.ts';
import { authorization, type Server } from './server.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

const arriveMsMax = 60_000;

export interface Load {
  /** Tells the events of one load from those of another. */
  name: string;
  perSecond: number;
  seconds: number;
  url: string;
  headers: (id: string) => string[];
  body: (id: string) => string;
}

/** A receiver in this process, which publishes too: one clock tells how long events are on their way. */
export interface Receiver {
  url: string;
  /** Sends at the load's rate without waiting for answers. Answers how long each event was on its way, in milliseconds. */
  measure(load: Load): Promise<number[]>;
}

export async function openReceiver(stage: Stage): Promise<Receiver> {
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
    async measure({ name, perSecond, seconds, url, headers, body }) {
      tookMs.length = 0;
      const { origin, pathname: path } = new URL(url);
      const failures: unknown[] = [];
      await steadily(perSecond, seconds, (index) => {
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

/** What publishes one event to a server, as a load's parts. */
export function publishTo(server: Server): Pick<Load, 'url' | 'headers' | 'body'> {
  return {
    url: `${server.url}/v1/events`,
    headers: () => ['authorization', authorization, 'content-type', 'application/json'],
    body: (id) => JSON.stringify({ id, ...sampleEvent }),
  };
}
