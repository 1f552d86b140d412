import { join } from 'node:path';
import { request } from 'undici';
import { repeatHistory, untilRolledUp } from '../history.ts';
import { type Figure, plainFigure, type Row } from '../row.ts';
import { quantile } from '../samples.ts';
import { authorization, type Server, startServer } from '../server.ts';
import { openSink } from '../sink/sink.ts';
import type { Stage } from '../stage.ts';
import { until } from '../until.ts';

const endpoints = 100;
const attempts = 1_000_000;
const rounds = 20;
const pageMsMax = 200;
const settleMsMax = 60_000;
const type = 'contact.updated';

/** Whether a person waits for a page. */
export const pages: Row = {
  name: 'pages',
  work: `every page of the dashboard, as a browser asks for it, on a database with ${attempts.toLocaleString('en')} attempts of ${endpoints} endpoints`,
  bound: 'The log is looked at in the order of its rows; what was counted is rolled up beforehand.',
  async measure(stage: Stage): Promise<Figure[]> {
    const folder = join(stage.folder, 'pages');
    await makeHistory(stage, folder);
    const server = await startServer({ folder });
    stage.later(() => server.stop());
    const cookie = await signIn(server);
    const paths = await pathsOf(server);
    await untilRolledUp(stage, folder);
    const slowest: number[] = [];
    const all: number[] = [];
    for (const path of paths) {
      const own: number[] = [];
      for (let round = 0; round < rounds; round++) own.push(await tookMs(server, cookie, path));
      stage.progress(`p50 ${quantile(own, 0.5).toFixed(1)} ms, at most ${Math.max(...own).toFixed(1)} ms: ${path}`);
      slowest.push(quantile(own, 0.95));
      all.push(...own);
    }
    await server.stop();
    return [
      plainFigure({ what: 'page p50', value: quantile(all, 0.5), unit: 'ms' }, null),
      plainFigure(
        { what: 'slowest page p95', value: Math.max(...slowest), unit: 'ms' },
        { of: 'value', atMost: pageMsMax },
      ),
    ];
  },
};

async function makeHistory(stage: Stage, folder: string): Promise<void> {
  const sink = await openSink(stage);
  const server = await startServer({ folder });
  stage.later(() => server.stop());
  for (let index = 0; index < endpoints; index++) {
    await server.ask('POST', '/v1/webhooks/subscribe', { url: `${sink.url}/${index}`, events: [type] });
  }
  await server.ask('POST', '/v1/events', { type, data: { note: 'x' } });
  await until('the history to be delivered', { everyMs: 100, msMax: settleMsMax }, async () => {
    const { data } = await server.ask<{ data: unknown[] }>('GET', '/v1/deliveries?status=pending&limit=1');
    return data.length === 0 ? true : null;
  });
  await server.stop();
  repeatHistory(folder, attempts / endpoints - 1);
}

async function signIn({ url }: Server): Promise<string> {
  const { headers } = await request(`${url}/sign-in`, {
    method: 'POST',
    headers: { origin: url, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ key: authorization.replace('Bearer ', '') }).toString(),
  });
  return String(headers['set-cookie']).split(';')[0] ?? '';
}

async function pathsOf(server: Server): Promise<string[]> {
  const log = await server.ask<{ data: { id: string; endpoint_id: string; event_id: string }[]; next_cursor: string }>(
    'GET',
    '/v1/webhooks/logs',
  );
  const { id = '', endpoint_id: endpoint = '', event_id: event = '' } = log.data[0] ?? {};
  const filters = [
    '',
    'status=failed',
    'status=succeeded',
    'kind=test',
    'event_type=call.missed',
    `endpoint_id=${endpoint}`,
  ];
  return [
    ...['1h', '24h', '7d', '30d'].map((period) => `/?period=${period}`),
    ...[...filters, `cursor=${log.next_cursor}`].map((filter) => `/data/webhooks?${filter}`),
    `/data/webhooks/${id}`,
    '/settings/api',
    `/settings/api/subscriptions/${endpoint}`,
    `/settings/api/subscriptions/${endpoint}/recover`,
    '/data/events',
    '/data/events?event_type=call.missed',
    `/data/events/${event}`,
    '/data/event-types',
    '/auto/automations',
    '/auto/automations/new',
  ];
}

async function tookMs({ url }: Server, cookie: string, path: string): Promise<number> {
  const startedAt = performance.now();
  const { statusCode, body } = await request(url + path, { headers: { cookie, accept: 'text/html' } });
  await body.text();
  if (statusCode !== 200) throw new Error(`${path} answers ${statusCode}`);
  return performance.now() - startedAt;
}
