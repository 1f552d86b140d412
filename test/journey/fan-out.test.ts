import { afterEach, expect, it } from 'vitest';
import { fanOutNowMax } from '../../src/core/journey/accept.ts';
import { fanOutWide } from '../../src/core/journey/fan-out.ts';
import type { Store } from '../../src/core/ports/ports.ts';
import { makeConditions } from '../../src/conditions/conditions.ts';
import { schemas } from '../../src/schemas/schemas.ts';
import { publish, seedEndpoint, seedWorkspace, t0 } from '../store/seed.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { sqliteEngine, type TestDatabase } from '../support/stores.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  await database.close();
});

async function open(): Promise<Store> {
  database = await sqliteEngine.create();
  return database.open();
}

/** A store that tells how many events each look for wide ones found. */
function watching(store: Store, found: number[]): Store {
  const { journey } = store;
  return {
    ...store,
    journey: {
      ...journey,
      async nextToFanOut(countMax) {
        const work = await journey.nextToFanOut(countMax);
        found.push(work.length);
        return work;
      },
    },
  };
}

const ports = (store: Store) => ({
  store,
  clock: { now: () => t0, monotonic: () => t0, after: () => () => {} },
  conditions: makeConditions(),
  schemas,
});

it('wide events are fanned out together, as many as make a transaction', async () => {
  const store = await open();
  const workspaceId = await seedWorkspace(store);
  const endpoints = Array.from({ length: 3 }, () => seedEndpoint(store, workspaceId));
  const { length } = await Promise.all(endpoints);
  const ids = Array.from({ length: 40 }, (_, nth) => `wide-${nth}`);
  await publish(
    store,
    workspaceId,
    ids.map((publicId) => ({ publicId, fanOutNow: false })),
  );
  const found: number[] = [];
  await fanOutWide(ports(watching(store, found)), () => true);
  expect(found).toEqual([32, 8, 0]);
  const { count } = await database.db
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  expect(count).toBe(ids.length * length);
});

it('a wide event is fanned out when it was published, not when the worker happens to look', async () => {
  const store = await open();
  harness = await startHarness({ databaseUrl: database.url, ports: { store } });
  const { core, owner, posthorn } = harness;
  const half = fanOutNowMax / 2 + 1;
  for (let nth = 0; nth < half; nth++) await seedEndpoint(store, owner.workspaceId, { events: ['opportunity.won'] });
  const event = { type: 'opportunity.won', data: {} };
  await posthorn.startDispatcher();
  // The clock stands still: nothing that is done from time to time is done.
  const answers = await core.publishMany(owner, [event, event]);
  expect(answers.map(({ published }) => published.deliveries)).toEqual([half, half]);
  await until(async () => (await store.journey.nextToFanOut(1)).length === 0);
});
