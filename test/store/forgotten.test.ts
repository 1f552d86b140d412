import { describe, expect, it } from 'vitest';
import { deliveryState, endpointStatus } from '../../src/store/tables.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { leaseOne, publishTo, seedEndpoint, seedWorkspace, settlement, t0 } from './seed.ts';

describe.each(engines)('deletions that a crash cut short on $name', (engine) => {
  const on = useDatabase(engine);

  /** Endpoints that are owed two deliveries each, deleted by a process that died right then. */
  async function forgotten(count: number) {
    const workspaceId = await seedWorkspace(on.store);
    const endpoints = await Promise.all(Array.from({ length: count }, () => seedEndpoint(on.store, workspaceId)));
    for (const endpoint of endpoints) await publishTo(on.store, endpoint, 2);
    return endpoints.toSorted((a, b) => a.id - b.id);
  }
  const markDeleted = () =>
    on.database.db.updateTable('endpoints').set({ status: endpointStatus.deleted, next_due_at: null }).execute();
  /** As the worker does once a second; answers the transactions that it took. */
  async function walk(): Promise<number> {
    let steps = -1;
    for (let after: number | null = 0; after !== null; steps++) after = await on.store.journey.cancelForgotten(after);
    return steps;
  }
  const counts = async () => {
    const rows = await on.database.db.selectFrom('endpoints').select('pending_count').orderBy('id').execute();
    return rows.map(({ pending_count }) => pending_count);
  };

  it('are finished one after the other', async () => {
    await forgotten(3);
    await markDeleted();
    expect(await walk()).toBe(3);
    expect(await counts()).toEqual([0, 0, 0]);
    const open = await on.database.db
      .selectFrom('deliveries')
      .select('id')
      .where('state', '=', deliveryState.pending)
      .execute();
    expect(open).toEqual([]);
    expect(await walk()).toBe(0);
  });

  it('wait for nobody whose count is wrong, and set it right', async () => {
    await forgotten(2);
    await markDeleted();
    await walk();
    await on.database.db.updateTable('endpoints').set({ pending_count: 7 }).execute();
    expect(await walk()).toBe(2);
    expect(await counts()).toEqual([0, 0]);
    expect(await walk()).toBe(0);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('leave to its worker what is in flight', async () => {
    const [endpoint = expect.fail()] = await forgotten(2);
    const { workerId, delivery } = await leaseOne(on.store, endpoint);
    await markDeleted();
    expect(await walk()).toBe(2);
    expect(await counts()).toEqual([1, 0]);
    await on.store.journey.settle(workerId, [settlement(delivery)]);
    expect(await counts()).toEqual([0, 0]);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });
});
