import { cp, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { packageVersion } from '../../src/package.ts';
import { type LoopWork, runLoop } from '../loop.ts';
import type { Figure, Row } from '../row.ts';
import { checkSameRequest } from '../same-request.ts';
import { inTurn, median } from '../samples.ts';
import { sampleEvent } from '../sample-event.ts';
import { databasePath, pendingCount, publish, startServer, subscribe } from '../server.ts';
import { openSink, type Sink } from '../sink/sink.ts';
import type { Stage } from '../stage.ts';
import { until } from '../until.ts';

const eventCount = 60_000;
const rounds = 3;
/** What one endpoint may have in flight when nothing is configured. */
const concurrency = 64;
const deliverMsMax = 300_000;

/** Stored events, one subscription: how fast they are sent, compared with sending alone. */
export const deliver: Row = {
  name: 'deliver',
  work: `${eventCount.toLocaleString('en')} stored events of 1 KiB to one subscription, default settings on SQLite`,
  async measure(stage: Stage): Promise<Figure[]> {
    const work = loopWork();
    await checkSameRequest(stage, work);
    const sink = await openSink(stage);
    const stored = await storeEvents(stage, sink);
    const { a, b } = await inTurn(
      rounds,
      async (round) => {
        const folder = join(stage.folder, `round-${round}`);
        await copySynced(stored.folder, folder);
        const perSecond = await deliverAll(stage, sink, { folder, subscriptionId: stored.subscriptionId });
        stage.progress(`round ${round} of ${rounds}: Posthorn ${Math.round(perSecond)} deliveries/s`);
        return perSecond;
      },
      async (round) => {
        const perSecond = eventCount / (await runLoop(stage, { ...work, url: sink.url }));
        stage.progress(`round ${round} of ${rounds}: the loop ${Math.round(perSecond)} requests/s`);
        return perSecond;
      },
    );
    const against = { what: 'the loop', value: median(b), samples: b };
    const value = median(a);
    const ratio = value / against.value;
    return [{ what: 'delivered', value, unit: '/s', samples: a, against, ratio, reach: { of: 'ratio', atLeast: 0.6 } }];
  },
};

function loopWork(): LoopWork {
  const { type, data } = sampleEvent;
  return {
    url: '',
    requests: eventCount,
    concurrency,
    type,
    data: JSON.stringify(data),
    version: packageVersion,
    brand: 'TrustPager',
  };
}

/** A database whose deliveries are all due. Each round gets a copy of it. */
export async function storeEvents(stage: Stage, sink: Sink): Promise<{ folder: string; subscriptionId: string }> {
  const folder = join(stage.folder, 'stored');
  const server = await startServer({ folder, environment: { POSTHORN_DISPATCH: 'off' } });
  stage.later(() => server.stop());
  const subscriptionId = await subscribe(server, sink.url);
  stage.progress(`storing ${eventCount} events`);
  await publish(server, eventCount);
  await server.stop();
  return { folder, subscriptionId };
}

/** Copies a folder's files down to the disk: what is left for later would be written while commits wait for the same disk. */
async function copySynced(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
  for (const name of await readdir(to)) {
    const file = await open(join(to, name), 'r+');
    await file.sync();
    await file.close();
  }
}

/** Delivers what the folder's database holds: deliveries a second, from the first received to the last settled. */
export async function deliverAll(
  stage: Stage,
  sink: Sink,
  { folder, subscriptionId, nodeArguments = [] }: { folder: string; subscriptionId: string; nodeArguments?: string[] },
): Promise<number> {
  const before = await sink.received();
  const server = await startServer({ folder, nodeArguments });
  stage.later(() => server.stop());
  const first = await until('the first delivery', { everyMs: 1, msMax: deliverMsMax }, async () =>
    (await sink.received()) > before ? performance.now() : null,
  );
  await until('the last delivery', { everyMs: 25, msMax: deliverMsMax }, async () =>
    (await sink.received()) >= before + eventCount ? true : null,
  );
  const last = await until('the last record', { everyMs: 2, msMax: deliverMsMax }, async () =>
    (await pendingCount(server, subscriptionId)) === 0 ? performance.now() : null,
  );
  await server.stop();
  const repeats = (await sink.received()) - before - eventCount;
  if (repeats > 0) throw new Error(`${repeats} deliveries were sent twice`);
  const logged = countAttempts(folder);
  if (logged !== eventCount) throw new Error(`${logged} attempts were logged for ${eventCount} deliveries`);
  return (eventCount / (last - first)) * 1_000;
}

function countAttempts(folder: string): number {
  const db = new Database(databasePath(folder), { readonly: true });
  const count = db.prepare<[], number>('select count(*) from attempts where error is null').pluck().get() ?? 0;
  db.close();
  return count;
}
