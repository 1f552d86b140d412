import { performance } from 'node:perf_hooks';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import { deliveryState } from '../../src/store/tables.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, sqliteEngine, useDatabase } from '../support/stores.ts';
import { lease, publishTo, second, seedEndpoint, seedWorker, seedWorkspace, settlement, t0 } from './seed.ts';

describe.each(engines)('a backlog of retries on $name', (engine) => {
  const on = useDatabase(engine);

  /** So many deliveries that failed once and are due again, a millisecond apart. */
  async function seedRetries(endpoint: EndpointRecord, count: number): Promise<void> {
    await publishTo(on.store, endpoint, count, t0);
    const workerId = await seedWorker(on.store);
    const { deliveries } = await lease(on.store, workerId, [endpoint], t0, count);
    const settlements = deliveries.map((one, index) =>
      settlement(one, { error: 'http_5xx', at: t0, dueAt: t0 + 1 + index }),
    );
    await on.store.journey.settle(workerId, settlements);
  }

  const seed = async () => {
    const endpoint = await seedEndpoint(on.store, await seedWorkspace(on.store));
    return { endpoint, workerId: await seedWorker(on.store) };
  };
  const now = t0 + second;

  it('leaves half of a share to first attempts, and keeps the half that is due longest', async () => {
    const { endpoint, workerId } = await seed();
    await seedRetries(endpoint, 100);
    await publishTo(on.store, endpoint, 30, now);
    const { deliveries } = await lease(on.store, workerId, [endpoint], now, 20);
    expect(deliveries.map(({ attempts }) => attempts)).toEqual([...Array(10).fill(1), ...Array(10).fill(0)]);
    const retried = deliveries.filter(({ attempts }) => attempts === 1).map(({ id }) => id);
    const oldest = await on.database.db
      .selectFrom('deliveries')
      .select('id')
      .where('attempts', '=', 1)
      .orderBy('due_at')
      .limit(10)
      .execute();
    expect(retried).toEqual(oldest.map(({ id }) => id));
    expect(await brokenInvariants(on.database.db, now)).toEqual([]);
  });

  it('gives way for no more first attempts than there are', async () => {
    const { endpoint, workerId } = await seed();
    await seedRetries(endpoint, 100);
    await publishTo(on.store, endpoint, 3, now);
    const { deliveries } = await lease(on.store, workerId, [endpoint], now, 20);
    expect(deliveries.filter(({ attempts }) => attempts === 0)).toHaveLength(3);
    expect(deliveries).toHaveLength(20);
    const rest = await lease(on.store, workerId, [endpoint], now, 200);
    expect(rest.deliveries).toHaveLength(83);
    expect(await brokenInvariants(on.database.db, now)).toEqual([]);
  });

  it('gives way about every second time where one is leased at a time, as of an endpoint that is down', async () => {
    const { endpoint, workerId } = await seed();
    await seedRetries(endpoint, 100);
    await publishTo(on.store, endpoint, 30, now);
    const attempts: number[] = [];
    for (let probe = 0; probe < 40; probe++) {
      const { deliveries } = await lease(on.store, workerId, [endpoint], now + probe * 250, 1);
      attempts.push(...deliveries.map((one) => one.attempts));
    }
    expect(attempts).toHaveLength(40);
    const first = attempts.filter((count) => count === 0).length;
    expect(first).toBeGreaterThanOrEqual(10);
    expect(first).toBeLessThanOrEqual(30);
    expect(await brokenInvariants(on.database.db, now + 39 * 250)).toEqual([]);
  });

  it('gives way to nothing where nothing else is due', async () => {
    const { endpoint, workerId } = await seed();
    await seedRetries(endpoint, 50);
    const { deliveries } = await lease(on.store, workerId, [endpoint], now, 20);
    expect(deliveries.map(({ id }) => id)).toEqual(deliveries.map(({ id }) => id).toSorted((a, b) => a - b));
    expect(deliveries).toHaveLength(20);
  });
});

describe('an endpoint with 100,000 due deliveries', () => {
  const on = useDatabase(sqliteEngine);
  const backlog = 100_000;

  async function fill(endpoint: EndpointRecord): Promise<void> {
    await publishTo(on.store, endpoint, 1);
    const { db } = on.database;
    await sql`pragma foreign_keys = off`.execute(db);
    await sql`insert into deliveries (workspace_id, event_id, endpoint_id, state, due_at, attempts, steps, interruptions, created_at)
      with recursive n (i) as (select 1 union all select i + 1 from n where i < ${backlog})
      select workspace_id, -i, endpoint_id, state, due_at, 0, 0, 0, created_at from n, (
        select * from deliveries where endpoint_id = ${endpoint.id} limit 1)`.execute(db);
  }

  /** The quickest of several, as others use this machine too. */
  async function quickestMs(work: () => Promise<unknown>): Promise<number> {
    const took: number[] = [];
    for (let round = 0; round < 40; round++) {
      const startedAt = performance.now();
      await work();
      took.push(performance.now() - startedAt);
    }
    return Math.min(...took);
  }

  it('costs a claim no more than an endpoint with few, neither itself nor others', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const [full, small] = [await seedEndpoint(on.store, workspaceId), await seedEndpoint(on.store, workspaceId)];
    const workerId = await seedWorker(on.store);
    await publishTo(on.store, small, 500);
    const lookingMs = () => quickestMs(() => on.store.journey.dueEndpoints(t0, 1_000));
    const leasingMs = (endpoint: EndpointRecord) =>
      quickestMs(async () => {
        const { deliveries } = await lease(on.store, workerId, [endpoint], t0, 1);
        await on.store.journey.giveBack(
          workerId,
          deliveries.map(({ id }) => id),
          t0,
        );
      });
    const before = { looking: await lookingMs(), leasing: await leasingMs(small) };
    await fill(full);
    const pending = await on.database.db
      .selectFrom('deliveries')
      .select(({ fn }) => fn.countAll().as('count'))
      .where('endpoint_id', '=', full.id)
      .where('state', '=', deliveryState.pending)
      .executeTakeFirstOrThrow();
    expect(Number(pending.count)).toBeGreaterThan(backlog);
    // One row more is read, not 100,000: that would take a hundred times as long.
    expect(await lookingMs()).toBeLessThan(before.looking * 4 + 0.5);
    expect(await leasingMs(small)).toBeLessThan(before.leasing * 4 + 0.5);
    expect(await leasingMs(full)).toBeLessThan(before.leasing * 4 + 0.5);
  });
});
