import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { measureLogPages } from '../log-pages.ts';
import { repeatHistory, untilRolledUp } from '../history.ts';
import { comparedFigure, type Figure, plainFigure, type Row } from '../row.ts';
import { inTurn, quantile } from '../samples.ts';
import { type Server, startServer, subscribe } from '../server.ts';
import { openSink, type Sink } from '../sink/sink.ts';
import type { Stage } from '../stage.ts';
import { deliverAll, type Stored, storeMore } from '../stored.ts';
import { until } from '../until.ts';

const endpoints = 1_000;
const attempts = 5_000_000;
const eventsDelivered = 60_000;
const rounds = 5;
/** Of the history's endpoints, every so manieth refuses. */
const failingEvery = 20;
const historyType = 'contact.updated';
const settleMsMax = 60_000;
const pageP99Ms = 10;
const coldPageMs = 50;

/** Whether years of deliveries cost those of today anything. */
export const growth: Row = {
  name: 'growth',
  work: `a database with ${attempts.toLocaleString('en')} attempts of ${endpoints.toLocaleString('en')} endpoints: *deliver* compared with an empty one, and every kind of log page over REST`,
  bound: 'What bounds *deliver*: rows are appended, and each commit touches few pages of the large indexes.',
  async measure(stage: Stage): Promise<Figure[]> {
    const sink = await openSink(stage);
    const grown = await makeHistory(stage, sink);
    const empty = join(stage.folder, 'empty');
    const subscriptions = { grown: await addSubscription(stage, grown, sink), empty: '' };
    subscriptions.empty = await addSubscription(stage, empty, sink);
    const run = (folder: string, what: keyof typeof subscriptions) => async (round: number) => {
      const stored: Stored = { folder, subscriptionIds: [subscriptions[what]], deliveries: eventsDelivered };
      await storeMore(stage, stored);
      const perSecond = await deliverAll(stage, sink, stored);
      stage.progress(`round ${round} of ${rounds}: ${what} ${Math.round(perSecond)} deliveries/s`);
      return perSecond;
    };
    const { a, b } = await inTurn(rounds, run(grown, 'grown'), run(empty, 'empty'));
    const pages = await measureLogPages(stage, grown);
    const against = { what: 'an empty one', samples: b };
    return [
      comparedFigure({ what: 'delivered', unit: '/s', samples: a, against }, { of: 'ratio', atLeast: 0.85 }),
      plainFigure(
        { what: 'log page p99', value: quantile(pages.warmMs, 0.99), unit: 'ms' },
        { of: 'value', atMost: pageP99Ms },
      ),
      plainFigure(
        { what: 'slowest cold page', value: Math.max(...pages.coldMs), unit: 'ms' },
        { of: 'value', atMost: coldPageMs },
      ),
    ];
  },
};

/** The program delivers one event to every endpoint; what it stored of it is repeated. */
async function makeHistory(stage: Stage, sink: Sink): Promise<string> {
  const folder = join(stage.folder, 'grown');
  const server = await startServer({ folder, environment: { POSTHORN_RETRY_SCHEDULE: '1s' } });
  stage.later(() => server.stop());
  stage.progress(`making ${endpoints} endpoints`);
  const refusingPort = await freePort();
  const numbers = Array.from({ length: endpoints }, (_, index) => index);
  const maker = async () => {
    for (let index = numbers.shift(); index !== undefined; index = numbers.shift())
      await makeEndpoint(server, sink, refusingPort, index);
  };
  await Promise.all([maker(), maker(), maker(), maker()]);
  await server.ask('POST', '/v1/events', { type: historyType, data: { note: 'x' } });
  const made = await until('the history to be delivered', { everyMs: 100, msMax: settleMsMax }, async () => {
    const { data } = await server.ask<{ data: unknown[] }>('GET', '/v1/deliveries?status=pending&limit=1');
    return data.length === 0 ? endpoints + endpoints / failingEvery : null;
  });
  await server.stop();
  stage.progress(`repeating it to ${attempts.toLocaleString('en')} attempts`);
  repeatHistory(folder, Math.ceil(attempts / made) - 1);
  const counting = await startServer({ folder });
  stage.later(() => counting.stop());
  await untilRolledUp(stage, folder);
  await counting.stop();
  return folder;
}

async function makeEndpoint(server: Server, sink: Sink, refusingPort: number, index: number): Promise<void> {
  const url = index % failingEvery === 0 ? `http://127.0.0.1:${refusingPort}/${index}` : `${sink.url}/${index}`;
  await server.ask('POST', '/v1/webhooks/subscribe', { url, events: [historyType] });
}

async function addSubscription(stage: Stage, folder: string, sink: Sink): Promise<string> {
  const server = await startServer({ folder, environment: { POSTHORN_DISPATCH: 'off' } });
  stage.later(() => server.stop());
  const id = await subscribe(server, sink.url);
  await server.stop();
  return id;
}
