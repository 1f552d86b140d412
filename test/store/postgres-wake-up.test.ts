import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import type { AcceptBatch } from '../../src/core/ports/journey-store.ts';
import { openPool } from '../../src/store/postgres/connection.ts';
import { accept } from '../../src/store/postgres/journey/accept.ts';
import { lease } from '../../src/store/postgres/journey/lease.ts';
import { TypeIds } from '../../src/store/postgres/journey/type-ids.ts';
import { Unhanded } from '../../src/store/postgres/journey/unhanded.ts';
import { deliveryState } from '../../src/store/tables.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { postgresEngine, useDatabase } from '../support/stores.ts';
import { gated, untilWaiting } from './postgres-gates.ts';
import {
  lease as leaseThrough,
  newEvent,
  publishTo,
  reread,
  seedEndpoint,
  seedWorker,
  seedWorkspace,
  second,
  t0,
} from './seed.ts';

/** How long a test lets a lease wait: its own patience is a quarter of a second. */
const patienceMs = 10_000;

describe('a publish and a lease that meet at one endpoint', () => {
  const on = useDatabase(postgresEngine);
  let one: Pool;
  let two: Pool;
  beforeEach(() => {
    one = openPool(on.database.url, 2);
    two = openPool(on.database.url, 2);
  });
  afterEach(async () => {
    await Promise.all([one.end(), two.end()]);
  });

  async function seed() {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    const workerId = await seedWorker(on.store);
    const { version } = await on.store.journey.matchable(workspaceId);
    const batch: AcceptBatch = {
      workspaceId,
      matchableVersion: version,
      events: [newEvent({ publicId: 'evt', endpointIds: [endpoint.id] })],
      now: t0,
    };
    return {
      workspaceId,
      endpoint,
      batch,
      request: { workerId, shares: [{ endpointId: endpoint.id, count: 10 }], now: t0 },
    };
  }
  const isDue = async (endpoint: EndpointRecord) =>
    (await on.store.journey.dueEndpoints(t0, 10)).some(({ id }) => id === endpoint.id);

  it('the lease waits for a publish that is about to commit, and gets its delivery', async () => {
    const { batch, request } = await seed();
    const publisher = gated(one);
    const published = accept(publisher.run, new TypeIds(one), [batch]);
    await publisher.gate.reached;
    const leased = lease(gated(two, /never/).run, new Unhanded(), request, patienceMs);
    await untilWaiting(two);
    publisher.gate.open();
    expect(await published).toMatchObject([{ outcome: 'stored' }]);
    expect((await leased).deliveries).toHaveLength(1);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('gets what is due at one endpoint at once, and at another as soon as a publish there is committed', async () => {
    const { workspaceId, endpoint, batch, request } = await seed();
    const other = await seedEndpoint(on.store, workspaceId);
    await publishTo(on.store, other);
    const { version } = await on.store.journey.matchable(workspaceId);
    const publisher = gated(one);
    const published = accept(publisher.run, new TypeIds(one), [{ ...batch, matchableVersion: version }]);
    await publisher.gate.reached;
    const shares = [endpoint, other].map(({ id }) => ({ endpointId: id, count: 10 }));
    const leased = lease(gated(two, /never/).run, new Unhanded(), { ...request, shares }, patienceMs);
    await untilWaiting(two);
    publisher.gate.open();
    await published;
    expect((await leased).deliveries.map(({ endpointId }) => endpointId)).toEqual([other.id, endpoint.id]);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('leases what there is when an endpoint stays held, and leaves that one due', async () => {
    const { workspaceId, endpoint, request } = await seed();
    const other = await seedEndpoint(on.store, workspaceId);
    await publishTo(on.store, endpoint);
    const holder = await one.connect();
    await holder.query('begin');
    await holder.query('select id from endpoints where id = $1 for update', [endpoint.id]);
    const shares = [endpoint, other].map(({ id }) => ({ endpointId: id, count: 10 }));
    const run = gated(two, /never/).run;
    expect((await lease(run, new Unhanded(), { ...request, shares }, 20)).deliveries).toEqual([]);
    await publishTo(on.store, other);
    const { deliveries } = await lease(run, new Unhanded(), { ...request, shares }, 20);
    expect(deliveries.map(({ endpointId }) => endpointId)).toEqual([other.id]);
    await holder.query('rollback');
    holder.release();
    expect(await isDue(endpoint)).toBe(true);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('the publish waits for a lease that found nothing, and marks the endpoint after it', async () => {
    const { endpoint, batch, request } = await seed();
    const leaser = gated(two, /^\s*with due as/);
    const leased = lease(leaser.run, new Unhanded(), request);
    await leaser.gate.reached;
    const published = accept(gated(one, /never/).run, new TypeIds(one), [batch]);
    await untilWaiting(one);
    leaser.gate.open();
    expect((await leased).deliveries).toEqual([]);
    expect(await published).toMatchObject([{ outcome: 'stored' }]);
    expect(await isDue(endpoint)).toBe(true);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('would lose the wake-up if one statement both locked the endpoint and looked for what is due', async () => {
    const { endpoint, batch } = await seed();
    const publisher = gated(one);
    const published = accept(publisher.run, new TypeIds(one), [batch]);
    await publisher.gate.reached;
    const naive = two.query(
      `with locked as (select id from endpoints where id = $1 for no key update)
       update endpoints e set next_due_at =
         (select min(due_at) from deliveries d where d.endpoint_id = e.id and d.state = ${deliveryState.pending})
       from locked where e.id = locked.id`,
      [endpoint.id],
    );
    await untilWaiting(one);
    publisher.gate.open();
    await Promise.all([published, naive]);
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 1 });
    expect(await isDue(endpoint)).toBe(false);
    expect(await brokenInvariants(on.database.db, t0)).toHaveLength(1);
  });

  it('a change of the endpoint that comes between matching and storing makes the publish stale', async () => {
    const { workspaceId, endpoint, batch } = await seed();
    const publisher = gated(one, /insert into events/);
    const published = accept(publisher.run, new TypeIds(one), [batch]);
    await publisher.gate.reached;
    await on.store.endpoints.update(workspaceId, endpoint.id, { status: 'paused', now: t0 });
    publisher.gate.open();
    expect(await published).toEqual([{ outcome: 'stale' }]);
    expect(await on.store.records.event(workspaceId, 'evt')).toBeNull();
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 0 });
  });

  it('a change of the endpoint that comes after it was marked waits for the publish', async () => {
    const { workspaceId, endpoint, batch } = await seed();
    const publisher = gated(one);
    const published = accept(publisher.run, new TypeIds(one), [batch]);
    await publisher.gate.reached;
    const deleted = on.store.endpoints.delete(workspaceId, endpoint.id, t0 + second);
    await untilWaiting(one);
    publisher.gate.open();
    expect(await published).toMatchObject([{ outcome: 'stored' }]);
    await deleted;
    expect((await on.store.records.deliveries(workspaceId, { limit: 10 })).rows).toMatchObject([
      { status: 'canceled' },
    ]);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('a lease that is being taken keeps its worker from being reaped', async () => {
    const { endpoint, request } = await seed();
    await publishTo(on.store, endpoint);
    const leaser = gated(two);
    const leased = lease(leaser.run, new Unhanded(), request);
    await leaser.gate.reached;
    expect(await on.store.journey.reapWorkers(t0 + second, t0 + second, 10)).toBe(0);
    leaser.gate.open();
    expect((await leased).deliveries).toHaveLength(1);
    expect(await on.store.journey.reapWorkers(t0 + second, t0 + second, 10)).toBe(1);
    expect((await leaseThrough(on.store, request.workerId, [endpoint], t0 + second)).deliveries).toEqual([]);
    expect(await brokenInvariants(on.database.db, t0 + second)).toEqual([]);
  });
});
