import { afterEach, expect, it } from 'vitest';
import { fanOutNowMax } from '../../src/core/journey/accept.ts';
import { FanOut } from '../../src/core/journey/fan-out.ts';
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
      async nextToFanOut(...look) {
        const work = await journey.nextToFanOut(...look);
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
  await new FanOut(ports(watching(store, found)), () => true).run();
  expect(found).toEqual([32, 8, 0]);
  const { count } = await database.db
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  expect(count).toBe(ids.length * length);
});

/** Fans out all that waits. Answers whose turn each step was, and how often endpoints were read. */
async function fanOutAll(
  store: Store,
  beforeLook = async (_times: number) => {},
): Promise<{ turns: number[]; reads: number }> {
  const { journey } = store;
  const turns: number[] = [];
  let [looks, reads] = [0, 0];
  const watched: Store['journey'] = {
    ...journey,
    async nextToFanOut(...look) {
      await beforeLook(looks++);
      return journey.nextToFanOut(...look);
    },
    matchable(...of) {
      reads++;
      return journey.matchable(...of);
    },
    fanOut(step) {
      turns.push(step.workspaceId);
      return journey.fanOut(step);
    },
  };
  await new FanOut(ports({ ...store, journey: watched }), () => true).run();
  return { turns, reads };
}

/** As many deliveries as one step makes. */
const whole = { endpointIds: Array.from({ length: fanOutNowMax }, (_, nth) => nth + 1), fanOutNow: false };

it('workspaces take turns, and their endpoints are read once', async () => {
  const store = await open();
  const [busy, quiet] = [await seedWorkspace(store), await seedWorkspace(store, 'quiet')];
  for (const workspaceId of [busy, quiet]) await seedEndpoint(store, workspaceId);
  await publish(store, busy, [whole, whole, whole, whole]);
  await publish(store, quiet, [whole, whole]);
  expect(await fanOutAll(store)).toEqual({ turns: [busy, quiet, busy, quiet, busy, busy], reads: 2 });
});

it('endpoints that change between two steps are read again', async () => {
  const store = await open();
  const workspaceId = await seedWorkspace(store);
  await seedEndpoint(store, workspaceId);
  await publish(store, workspaceId, [whole, whole]);
  const { turns, reads } = await fanOutAll(store, async (times) => {
    if (times === 1) await seedEndpoint(store, workspaceId);
  });
  expect([turns.length, reads]).toEqual([3, 2]);
  const owed = await database.db.selectFrom('endpoints').select('pending_count').orderBy('id').execute();
  expect(owed.map(({ pending_count }) => pending_count)).toEqual([2, 1]);
});

it('a workspace whose steps fail does not keep the others from theirs', async () => {
  const store = await open();
  const [bad, good] = [await seedWorkspace(store), await seedWorkspace(store, 'good')];
  for (const workspaceId of [bad, good]) await publish(store, workspaceId, [whole]);
  const { journey } = store;
  const failing: Store['journey'] = {
    ...journey,
    fanOut: async (step) => {
      if (step.workspaceId === bad) throw new Error('its own fault');
      return journey.fanOut(step);
    },
  };
  const fanOut = new FanOut(ports({ ...store, journey: failing }), () => true);
  for (let times = 0; times < 2; times++) await expect(fanOut.run()).rejects.toThrow('its own fault');
  expect(await journey.nextToFanOut(9)).toMatchObject([{ workspaceId: bad }]);
});

it('wide events that take long keep nobody from looking for silent workers, and what fails is told', async () => {
  const store = await open();
  const stuck = Promise.withResolvers<boolean>();
  const journey: Store['journey'] = { ...store.journey, fanOut: () => stuck.promise };
  harness = await startHarness({ databaseUrl: database.url, ports: { store: { ...store, journey } } });
  const { clock, logs, owner, posthorn } = harness;
  await publish(store, owner.workspaceId, [whole]);
  await posthorn.startDispatcher();
  await store.journey.registerWorker('silent', clock.now());
  await until(async () => {
    clock.advance(1_000);
    return (await store.journey.status(null, clock.now())).workers === 1;
  });
  expect(logs.filter(({ level }) => level === 'error')).toEqual([]);
  stuck.reject(new Error('the disk is full'));
  await until(() => logs.some(({ message }) => message.startsWith('fanning out wide events stopped')));
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
