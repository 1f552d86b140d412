import { describe, expect, it } from 'vitest';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import { endpointStatus } from '../../src/store/tables.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import {
  deliver,
  lease,
  leaseOne,
  publish,
  publishTo,
  reread,
  second,
  seedEndpoint,
  seedWorker,
  seedWorkspace,
  settlement,
  t0,
} from './seed.ts';

const nobody = { deliveries: [], events: new Map() };

describe.each(engines)('lease on $name', (engine) => {
  const on = useDatabase(engine);

  const seed = async () => {
    const workspaceId = await seedWorkspace(on.store);
    return { workspaceId, endpoint: await seedEndpoint(on.store, workspaceId), workerId: await seedWorker(on.store) };
  };

  it('answers what the sender needs, each event once', async () => {
    const { workspaceId, endpoint, workerId } = await seed();
    const other = await seedEndpoint(on.store, workspaceId);
    await publish(on.store, workspaceId, [
      { publicId: 'evt', occurredAt: t0 - 5, endpointIds: [endpoint.id, other.id] },
    ]);
    const { deliveries, events } = await lease(on.store, workerId, [other, endpoint]);
    expect(deliveries.map(({ endpointId }) => endpointId)).toEqual([other.id, endpoint.id]);
    expect(deliveries[0]).toEqual({
      id: expect.any(Number),
      workspaceId,
      endpointId: other.id,
      eventId: expect.any(Number),
      endpointVersion: 1,
      attempts: 0,
      steps: 0,
    });
    expect([...events.values()]).toEqual([
      { publicId: 'evt', type: 'contact.created', data: '{"name":"Ada"}', occurredAt: t0 - 5 },
    ]);
    expect(events.has(deliveries[0]?.eventId ?? 0)).toBe(true);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('leases what is due, and only once', async () => {
    const { endpoint, workerId } = await seed();
    await publishTo(on.store, endpoint, 2, t0);
    await publishTo(on.store, endpoint, 1, t0 + second);
    expect(await lease(on.store, workerId, [endpoint], t0 - 1)).toEqual(nobody);
    expect((await lease(on.store, workerId, [endpoint], t0)).deliveries).toHaveLength(2);
    expect(await lease(on.store, workerId, [endpoint], t0)).toEqual(nobody);
    expect(await on.store.journey.nextDueAt()).toBe(t0 + second);
    expect((await lease(on.store, workerId, [endpoint], t0 + second)).deliveries).toHaveLength(1);
    expect(await on.store.journey.nextDueAt()).toBeNull();
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 3 });
  });

  it('leases no more than each share, the longest due first', async () => {
    const { workspaceId, endpoint, workerId } = await seed();
    const other = await seedEndpoint(on.store, workspaceId);
    for (const at of [t0 + 2, t0, t0 + 1]) await publishTo(on.store, endpoint, 1, at);
    await publishTo(on.store, other, 3, t0);
    const { deliveries } = await on.store.journey.lease(
      workerId,
      [
        { endpointId: endpoint.id, count: 2 },
        { endpointId: other.id, count: 1 },
      ],
      t0 + second,
    );
    expect(deliveries.map(({ endpointId }) => endpointId)).toEqual([endpoint.id, endpoint.id, other.id]);
    const pages = (await on.store.records.deliveries(workspaceId, { endpointId: endpoint.id, limit: 10 })).rows;
    const dueAt = new Map(pages.map((row) => [row.id, row.dueAt]));
    expect(deliveries.slice(0, 2).map(({ id }) => dueAt.get(id))).toEqual([t0, t0 + 1]);
    expect(await brokenInvariants(on.database.db, t0 + second)).toEqual([]);
  });

  it('sends an endpoint with more to the end of the queue', async () => {
    const { workspaceId, endpoint: deep, workerId } = await seed();
    await publishTo(on.store, deep, 3, t0);
    const late = await seedEndpoint(on.store, workspaceId);
    await publishTo(on.store, late, 1, t0 + second);
    const now = t0 + 2 * second;
    const order = async () => (await on.store.journey.dueEndpoints(now, 10)).map(({ id }) => id);
    expect(await order()).toEqual([deep.id, late.id]);
    expect((await lease(on.store, workerId, [deep], now, 1)).deliveries).toHaveLength(1);
    expect(await order()).toEqual([late.id, deep.id]);
    expect(await on.store.journey.dueEndpoints(now, 1)).toEqual([{ id: late.id, workspaceId, failing: false }]);
  });

  it.each(['paused', 'disabled', 'pending_approval', 'deleted'] as const)(
    'leases nothing of an endpoint that is %s',
    async (status) => {
      const { endpoint, workerId } = await seed();
      await publishTo(on.store, endpoint);
      const set = (code: number) =>
        on.database.db.updateTable('endpoints').set({ status: code }).where('id', '=', endpoint.id).execute();
      await set(endpointStatus[status]);
      expect(await on.store.journey.dueEndpoints(t0, 10)).toEqual([]);
      expect(await on.store.journey.nextDueAt()).toBeNull();
      expect(await lease(on.store, workerId, [endpoint])).toEqual(nobody);
      await set(endpointStatus.active);
      expect((await lease(on.store, workerId, [endpoint])).deliveries).toHaveLength(1);
    },
  );

  it('leases nothing of an endpoint that is held back until the hold ends', async () => {
    const { endpoint } = await seed();
    const holdUntil = t0 + 60 * second;
    await publishTo(on.store, endpoint, 2);
    const { workerId, delivery } = await leaseOne(on.store, endpoint);
    const retry = settlement(delivery, { error: 'http_4xx', responseCode: 429, dueAt: t0 + second, holdUntil });
    await on.store.journey.settle(workerId, [retry]);
    await publishTo(on.store, endpoint, 1, t0 + 2 * second);
    expect(await on.store.journey.nextDueAt()).toBe(holdUntil);
    expect(await lease(on.store, workerId, [endpoint], holdUntil - 1)).toEqual(nobody);
    expect(await brokenInvariants(on.database.db, t0 + second)).toEqual([]);
    expect((await lease(on.store, workerId, [endpoint], holdUntil)).deliveries).toHaveLength(3);
  });

  it('answers nothing for endpoints that do not exist, and for none', async () => {
    const { workerId } = await seed();
    expect(await lease(on.store, workerId, [{ id: 999_999 }])).toEqual(nobody);
    expect(await lease(on.store, workerId, [])).toEqual(nobody);
  });

  it('cancels what was erased instead of sending it', async () => {
    const { workspaceId, endpoint, workerId } = await seed();
    await publish(on.store, workspaceId, [{ publicId: 'gone', endpointIds: [endpoint.id] }]);
    const { delivery, workerId: first } = await leaseOne(on.store, endpoint);
    await on.store.deliveries.erase(workspaceId, 'gone', t0);
    await on.store.journey.settle(first, [settlement(delivery, { error: 'timeout', responseCode: null, dueAt: t0 })]);
    expect(await lease(on.store, workerId, [endpoint], t0 + second)).toEqual(nobody);
    expect(await on.store.records.delivery(workspaceId, delivery.id)).toMatchObject({ status: 'canceled' });
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 0 });
    expect(await brokenInvariants(on.database.db, t0 + second)).toEqual([]);
  });

  it('leases nothing to a worker that was declared dead', async () => {
    const { endpoint, workerId } = await seed();
    await publishTo(on.store, endpoint);
    await on.store.journey.reapWorkers(t0 + 1, t0, 10);
    expect(await lease(on.store, workerId, [endpoint])).toEqual(nobody);
    expect((await lease(on.store, await seedWorker(on.store), [endpoint])).deliveries).toHaveLength(1);
  });

  it('tells how far a delivery has come', async () => {
    const { endpoint, workerId } = await seed();
    await deliver(on.store, endpoint, { error: 'timeout', responseCode: null, dueAt: t0 + second });
    const { deliveries } = await lease(on.store, workerId, [endpoint], t0 + second);
    expect(deliveries[0]).toMatchObject({ attempts: 1, steps: 1 });
  });

  it('never leases a delivery to two workers, who lease at the same moment', async () => {
    const { workspaceId } = await seed();
    const endpoints: EndpointRecord[] = [];
    for (let i = 0; i < 3; i++) endpoints.push(await seedEndpoint(on.store, workspaceId));
    for (const endpoint of endpoints) await publishTo(on.store, endpoint, 60);
    const stores = [on.store, await on.database.open(), await on.database.open()];
    const leased = await Promise.all(
      stores.map(async (store) => {
        const workerId = await seedWorker(store);
        const ids: number[] = [];
        for (let batch = await lease(store, workerId, endpoints, t0, 4); batch.deliveries.length > 0; ) {
          ids.push(...batch.deliveries.map(({ id }) => id));
          batch = await lease(store, workerId, endpoints, t0, 4);
        }
        return ids;
      }),
    );
    const all = leased.flat();
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(180);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });
});
