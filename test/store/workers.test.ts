import { describe, expect, it } from 'vitest';
import { interruptionsMax } from '../../src/core/rules/retry.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { lease, publishTo, reread, second, seedEndpoint, seedWorker, seedWorkspace, settlement, t0 } from './seed.ts';

const later = t0 + 60 * second;

describe.each(engines)('workers on $name', (engine) => {
  const on = useDatabase(engine);

  /** A worker that holds `count` leases of one endpoint. */
  async function holding(count: number) {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    await publishTo(on.store, endpoint, count);
    const workerId = await seedWorker(on.store);
    const { deliveries } = await lease(on.store, workerId, [endpoint]);
    return { workspaceId, endpoint, workerId, deliveries };
  }
  const reap = (leasesMax = 1_000, now = later) => on.store.journey.reapWorkers(now, now, leasesMax);
  const attempts = async (workspaceId: number) =>
    (await on.store.records.attempts(workspaceId, { limit: 200, withExcerpt: false })).rows;

  it('gives every worker an id that none had before', async () => {
    const ids: number[] = [];
    for (let i = 0; i < 3; i++) {
      const id = await seedWorker(on.store);
      ids.push(id);
      await on.store.journey.retireWorker(id, [], t0);
    }
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
  });

  it('takes heartbeats of the living', async () => {
    const workerId = await seedWorker(on.store);
    expect(await on.store.journey.beat(workerId, t0 + second)).toBe(true);
    expect(await on.store.journey.status(null, t0)).toMatchObject({ workers: 1, lastBeatAt: t0 + second });
    expect(await on.store.journey.reapWorkers(t0 + second, later, 10)).toBe(0);
    expect(await on.store.journey.beat(workerId, later)).toBe(true);
    expect(await on.store.journey.reapWorkers(later + 1, later, 10)).toBe(0);
    expect(await on.store.journey.beat(workerId, later)).toBe(false);
    expect(await on.store.journey.status(null, t0)).toMatchObject({ workers: 0, lastBeatAt: null });
  });

  it('frees the leases of a silent worker as interrupted attempts', async () => {
    const { workspaceId, endpoint, workerId, deliveries } = await holding(2);
    const before = await reread(on.store, endpoint);
    expect(await reap()).toBe(2);
    expect(await attempts(workspaceId)).toMatchObject([
      {
        attempt: 1,
        error: 'interrupted',
        responseCode: null,
        durationMs: 0,
        startedAt: later,
        nextAttemptAt: later,
        isTest: false,
      },
      { attempt: 1, error: 'interrupted' },
    ]);
    expect((await on.store.records.deliveries(workspaceId, { limit: 10 })).rows).toMatchObject([
      { status: 'pending', attempts: 1, lastError: 'interrupted', dueAt: later },
      { status: 'pending', attempts: 1 },
    ]);
    expect(await reread(on.store, endpoint)).toEqual({ ...before, nextAttemptAt: later });
    const [first] = deliveries;
    expect(await on.store.journey.settle(workerId, first === undefined ? [] : [settlement(first)])).toEqual([false]);
    expect(await on.store.journey.beat(workerId, later)).toBe(false);
    const again = await lease(on.store, await seedWorker(on.store, later), [endpoint], later);
    expect(again.deliveries).toMatchObject([
      { attempts: 1, steps: 0 },
      { attempts: 1, steps: 0 },
    ]);
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });

  it('frees no more than it was told, and forgets a worker only once it holds nothing', async () => {
    const { endpoint } = await holding(5);
    expect(await reap(2)).toBe(2);
    expect(await on.store.journey.status(null, later)).toMatchObject({ workers: 1, dueCount: 2 });
    expect(await reap(2)).toBe(2);
    expect(await reap(2)).toBe(1);
    expect(await reap(2)).toBe(0);
    expect(await on.store.journey.status(null, later)).toMatchObject({ workers: 0 });
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 5, failureCount: 0 });
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });

  it('frees each lease once when two processes look at the same moment', async () => {
    const { workspaceId } = await holding(30);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    await publishTo(on.store, endpoint, 30);
    await lease(on.store, await seedWorker(on.store), [endpoint]);
    const other = await on.database.open();
    const freed = await Promise.all(
      [on.store, other, on.store, other].map((store) => store.journey.reapWorkers(later, later, 1_000)),
    );
    expect(freed.reduce((sum, count) => sum + count, 0)).toBe(60);
    expect(await attempts(workspaceId)).toHaveLength(60);
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });

  it('gives up a delivery that takes too many workers down', async () => {
    const { workspaceId, endpoint, deliveries } = await holding(1);
    const id = deliveries[0]?.id ?? 0;
    for (let i = 1; i <= interruptionsMax; i++) {
      await reap();
      expect(await on.store.records.delivery(workspaceId, id)).toMatchObject({ status: 'pending', attempts: i });
      await lease(on.store, await seedWorker(on.store), [endpoint], later);
    }
    await reap();
    expect(await on.store.records.delivery(workspaceId, id)).toMatchObject({
      status: 'failed',
      attempts: interruptionsMax + 1,
      lastError: 'interrupted',
    });
    expect((await attempts(workspaceId))[0]).toMatchObject({ nextAttemptAt: null });
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 0, failureCount: 0, status: 'active' });
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });

  it('cancels what a silent worker held of an endpoint that was deleted', async () => {
    const { workspaceId, endpoint, deliveries } = await holding(1);
    await on.store.endpoints.delete(workspaceId, endpoint.id, t0);
    expect(await reap()).toBe(1);
    expect(await on.store.records.delivery(workspaceId, deliveries[0]?.id ?? 0)).toMatchObject({ status: 'canceled' });
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });

  it('retires: the unsent are given back without an attempt, the others are interrupted', async () => {
    const { workspaceId, endpoint, workerId, deliveries } = await holding(3);
    const unsent = deliveries.slice(0, 2).map(({ id }) => id);
    await on.store.journey.retireWorker(workerId, unsent, later);
    expect(await attempts(workspaceId)).toMatchObject([{ deliveryId: deliveries[2]?.id, error: 'interrupted' }]);
    const rows = (await on.store.records.deliveries(workspaceId, { limit: 10 })).rows;
    expect(rows.toReversed().map(({ status, attempts: made }) => [status, made])).toEqual([
      ['pending', 0],
      ['pending', 0],
      ['pending', 1],
    ]);
    expect(await on.store.journey.beat(workerId, later)).toBe(false);
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 3 });
    expect(await on.store.journey.dueEndpoints(later, 10)).toHaveLength(1);
    expect((await lease(on.store, await seedWorker(on.store), [endpoint], later)).deliveries).toHaveLength(3);
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });

  it('records what was settled in the moment before it retires', async () => {
    const { workspaceId, workerId, deliveries } = await holding(2);
    const settled = on.store.journey.settle(
      workerId,
      deliveries.map((one) => settlement(one)),
    );
    await Promise.all([settled, on.store.journey.retireWorker(workerId, [], later)]);
    expect(await settled).toEqual([true, true]);
    expect(await attempts(workspaceId)).toMatchObject([{ error: null }, { error: null }]);
  });

  it('gives back leases that could not be sent', async () => {
    const { workspaceId, endpoint, workerId, deliveries } = await holding(2);
    const [first, other] = deliveries.map(({ id }) => id);
    const stranger = await seedWorker(on.store);
    await on.store.journey.giveBack(stranger, [first ?? 0], later);
    expect(await lease(on.store, stranger, [endpoint], later)).toMatchObject({ deliveries: [] });
    await on.store.journey.giveBack(workerId, [first ?? 0], later);
    expect(await on.store.records.delivery(workspaceId, first ?? 0)).toMatchObject({
      status: 'pending',
      attempts: 0,
      dueAt: later,
    });
    expect(await on.store.journey.nextDueAt()).toBe(later);
    await on.store.endpoints.delete(workspaceId, endpoint.id, t0);
    await on.store.journey.giveBack(workerId, [other ?? 0], later);
    expect(await on.store.records.delivery(workspaceId, other ?? 0)).toMatchObject({ status: 'canceled', attempts: 0 });
    expect(await attempts(workspaceId)).toEqual([]);
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });

  it('tells what is due, of one workspace and of all', async () => {
    const { workspaceId } = await holding(1);
    const other = await seedWorkspace(on.store, 'other');
    const endpoint = await seedEndpoint(on.store, other);
    await publishTo(on.store, endpoint, 2, t0 + second);
    const status = (id: number | null, now: number) => on.store.journey.status(id, now);
    expect(await status(null, t0)).toEqual({ workers: 1, lastBeatAt: t0, dueCount: 0, oldestDueAt: null });
    expect(await status(null, later)).toMatchObject({ dueCount: 2, oldestDueAt: t0 + second });
    expect(await status(other, later)).toMatchObject({ dueCount: 2 });
    expect(await status(workspaceId, later)).toMatchObject({ dueCount: 0, oldestDueAt: null });
  });
});
