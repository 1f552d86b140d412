import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/ports/ports.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { until } from '../support/until.ts';
import {
  deliver,
  lease,
  newTest,
  publish,
  publishTo,
  second,
  seedEndpoint,
  seedWorker,
  seedWorkspace,
  settlement,
  t0,
} from './seed.ts';

/** What one process publishes, another delivers within this. */
const noticeMsMax = 100;

describe.each(engines)('what other processes make due, on $name', (engine) => {
  const on = useDatabase(engine);

  /** A store of another process, which counts its calls once it listens. */
  async function listener(): Promise<() => number> {
    const other = await on.database.open();
    let calls = 0;
    other.onOutsideChange(() => void calls++);
    const workspaceId = await seedWorkspace(on.store, 'beginning');
    const endpoint = await seedEndpoint(on.store, workspaceId);
    await until(async () => {
      await publishTo(on.store, endpoint);
      return calls > 0;
    });
    const before = await settled(() => calls);
    return () => calls - before;
  }
  /** The count once what was told is heard. */
  async function settled(count: () => number): Promise<number> {
    for (let seen = -1; seen !== count(); ) {
      seen = count();
      await new Promise((resolve) => setTimeout(resolve, noticeMsMax));
    }
    return count();
  }

  const changes: [string, (store: Store) => Promise<() => Promise<unknown>>][] = [
    [
      'a publish',
      async (store) => {
        const endpoint = await seedEndpoint(store, await seedWorkspace(store));
        return () => publishTo(store, endpoint);
      },
    ],
    [
      'an endpoint made active',
      async (store) => {
        const endpoint = await seedEndpoint(store, await seedWorkspace(store));
        await publishTo(store, endpoint);
        await store.endpoints.update(endpoint.workspaceId, endpoint.id, { status: 'paused', now: t0 });
        return () => store.endpoints.update(endpoint.workspaceId, endpoint.id, { status: 'active', now: t0 });
      },
    ],
    [
      'a retry',
      async (store) => {
        const endpoint = await seedEndpoint(store, await seedWorkspace(store));
        const id = await deliver(store, endpoint, { error: 'http_5xx' });
        return () => store.deliveries.retry(endpoint.workspaceId, id, t0);
      },
    ],
    [
      'a worker that retires',
      async (store) => {
        const { workerId, deliveries } = await leased(store);
        return () =>
          store.journey.retireWorker(
            workerId,
            deliveries.map(({ id }) => id),
            t0,
          );
      },
    ],
    [
      'a worker that dies',
      async (store) => {
        await leased(store);
        return () => store.journey.reapWorkers(t0 + second, t0 + second, 10);
      },
    ],
    [
      'a lease given back',
      async (store) => {
        const { workerId, deliveries } = await leased(store);
        return () =>
          store.journey.giveBack(
            workerId,
            deliveries.map(({ id }) => id),
            t0,
          );
      },
    ],
    [
      'a test that frees a hold',
      async (store) => {
        const { workerId, deliveries, endpoint } = await leased(store);
        const hold = { error: 'http_4xx' as const, responseCode: 429, dueAt: t0, holdUntil: t0 + second };
        await store.journey.settle(
          workerId,
          deliveries.map((one) => settlement(one, hold)),
        );
        return () => store.journey.recordTest(newTest(endpoint));
      },
    ],
  ];

  async function leased(store: Store) {
    const endpoint = await seedEndpoint(store, await seedWorkspace(store));
    await publishTo(store, endpoint);
    const workerId = await seedWorker(store);
    const { deliveries } = await lease(store, workerId, [endpoint]);
    return { endpoint, workerId, deliveries };
  }

  it.each(changes)('is told after %s', async (_what, prepare) => {
    const change = await prepare(on.store);
    const calls = await listener();
    expect(calls()).toBe(0);
    await change();
    await until(() => calls() > 0);
  });

  it.runIf(engine.name === 'postgres')('tells nobody of a publish that is owed to no one', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const calls = await listener();
    await publish(on.store, workspaceId, [{}]);
    expect(await settled(calls)).toBe(0);
  });
});
