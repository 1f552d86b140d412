import { cp, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { packageVersion } from '../src/package.ts';
import type { LoopWork } from './loop.ts';
import { sampleEvent } from './sample-event.ts';
import { databasePath, pendingCount, publish, type Server, startServer, subscribe } from './server.ts';
import type { Sink } from './sink/sink.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

/** What one endpoint may have in flight when nothing is configured. */
const endpointConcurrency = 64;
const deliverMsMax = 300_000;

/** A database whose deliveries are all due. */
export interface Stored {
  folder: string;
  subscriptionIds: string[];
  deliveries: number;
}

/** Stores `events`, each owed to all of `subscriptions`, and delivers nothing. */
export async function storeEvents(
  stage: Stage,
  sink: Sink,
  { events, subscriptions = 1 }: { events: number; subscriptions?: number },
): Promise<Stored> {
  const folder = join(stage.folder, `stored-${events}-${subscriptions}`);
  const server = await startServer({ folder, environment: { POSTHORN_DISPATCH: 'off' } });
  stage.later(() => server.stop());
  const subscriptionIds: string[] = [];
  for (let index = 0; index < subscriptions; index++) {
    subscriptionIds.push(await subscribe(server, index === 0 ? sink.url : `${sink.url}/${index}`));
  }
  stage.progress(`storing ${events} events, each for ${subscriptions} subscription${subscriptions === 1 ? '' : 's'}`);
  await publish(server, events, subscriptions);
  await server.stop();
  return { folder, subscriptionIds, deliveries: events * subscriptions };
}

/** Stores as many events again as the database was owed, for the same subscriptions. */
export async function storeMore(stage: Stage, { folder, subscriptionIds, deliveries }: Stored): Promise<void> {
  const server = await startServer({ folder, environment: { POSTHORN_DISPATCH: 'off' } });
  stage.later(() => server.stop());
  await publish(server, deliveries / subscriptionIds.length, subscriptionIds.length);
  await server.stop();
}

/** A copy to work on: the original stays as it is. */
export async function copyStored(stored: Stored, folder: string): Promise<Stored> {
  await copySynced(stored.folder, folder);
  return { ...stored, folder };
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

interface DeliverOptions {
  nodeArguments?: string[];
  /** What is done from the first delivery on; the signal aborts after the last one. */
  meanwhile?: (server: Server, delivering: AbortSignal) => Promise<void>;
}

/** Delivers what is stored: deliveries a second, from the first received to the last settled. */
export async function deliverAll(
  stage: Stage,
  sink: Sink,
  { folder, subscriptionIds, deliveries }: Stored,
  { nodeArguments = [], meanwhile = async () => {} }: DeliverOptions = {},
): Promise<number> {
  const before = await sink.received();
  const loggedBefore = countAttempts(folder);
  const server = await startServer({ folder, nodeArguments });
  stage.later(() => server.stop());
  const first = await until('the first delivery', { everyMs: 1, msMax: deliverMsMax }, async () =>
    (await sink.received()) > before ? performance.now() : null,
  );
  const delivering = new AbortController();
  const beside = meanwhile(server, delivering.signal);
  // It is awaited below; its failure must not end the process before.
  beside.catch(() => {});
  await until('the last delivery', { everyMs: 25, msMax: deliverMsMax }, async () =>
    (await sink.received()) >= before + deliveries ? true : null,
  );
  for (const id of subscriptionIds) {
    await until('the last record', { everyMs: 2, msMax: deliverMsMax }, async () =>
      (await pendingCount(server, id)) === 0 ? true : null,
    );
  }
  const last = performance.now();
  delivering.abort();
  await beside;
  await server.stop();
  const repeats = (await sink.received()) - before - deliveries;
  if (repeats > 0) throw new Error(`${repeats} deliveries were sent twice`);
  const logged = countAttempts(folder) - loggedBefore;
  if (logged !== deliveries) throw new Error(`${logged} attempts were logged for ${deliveries} deliveries`);
  return (deliveries / (last - first)) * 1_000;
}

function countAttempts(folder: string): number {
  const db = new Database(databasePath(folder), { readonly: true });
  const count = db.prepare<[], number>('select count(*) from attempts where error is null').pluck().get() ?? 0;
  db.close();
  return count;
}

/** What *the loop* does instead of as many deliveries to one subscription. */
export function loopWork(requests: number): LoopWork {
  const { type, data } = sampleEvent;
  return {
    url: '',
    requests,
    concurrency: endpointConcurrency,
    type,
    data: JSON.stringify(data),
    version: packageVersion,
    brand: 'TrustPager',
  };
}
