import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import type { Store } from '../../src/core/ports/ports.ts';
import type { PrunePosition } from '../../src/core/ports/prune-position.ts';
import { deliveryState } from '../../src/store/tables.ts';
import { engines, useDatabase } from '../support/stores.ts';
import {
  deliver,
  leaseOne,
  newTest,
  publish,
  publishTo,
  reread,
  second,
  seedEndpoint,
  seedWorkspace,
  settlement,
  t0,
} from './seed.ts';

const later = t0 + 60 * second;

describe.each(engines)('pruning on $name', (engine) => {
  const on = useDatabase(engine);

  async function prune(store: Store, before: number): Promise<number> {
    let steps = 0;
    for (let at: PrunePosition | null = { table: 'attempts', after: 0 }; at !== null; steps++) {
      at = await store.journey.prune(at, before);
    }
    return steps;
  }
  const rows = async (workspaceId: number) => ({
    events: (await on.store.records.events(workspaceId, { limit: 2_000 })).length,
    deliveries: (await on.store.records.deliveries(workspaceId, { limit: 2_000 })).rows.length,
    attempts: (await on.store.records.attempts(workspaceId, { limit: 2_000, withExcerpt: true })).rows.length,
  });
  const seed = async () => {
    const workspaceId = await seedWorkspace(on.store);
    return { workspaceId, endpoint: await seedEndpoint(on.store, workspaceId) };
  };

  it('deletes what is older, and nothing that is younger or still owed', async () => {
    const { workspaceId, endpoint } = await seed();
    await deliver(on.store, endpoint, { excerpt: Buffer.from('body') });
    await on.store.journey.recordTest(newTest(endpoint, { excerpt: Buffer.from('body') }));
    await publish(on.store, workspaceId, [{}]);
    await publish(on.store, workspaceId, [{ publicId: 'wide', endpointIds: [endpoint.id], fanOutNow: false }]);
    await deliver(on.store, endpoint, { error: 'timeout', responseCode: null, dueAt: later });
    await publishTo(on.store, endpoint);
    await leaseOne(on.store, endpoint);
    await deliver(on.store, endpoint, {}, later);
    expect(await rows(workspaceId)).toEqual({ events: 6, deliveries: 5, attempts: 4 });
    await prune(on.store, later);
    // Left are the wide event, the one that waits for its retry, the leased one and the young one.
    expect(await rows(workspaceId)).toEqual({ events: 4, deliveries: 3, attempts: 1 });
    expect(await on.database.db.selectFrom('attempt_excerpts').select('attempt_id').execute()).toEqual([]);
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 2 });
  });

  it('keeps a delivery that took long until its last attempt is old', async () => {
    const { workspaceId, endpoint } = await seed();
    await publishTo(on.store, endpoint);
    await on.store.endpoints.update(workspaceId, endpoint.id, { status: 'paused', now: t0 });
    await on.store.endpoints.update(workspaceId, endpoint.id, { status: 'active', now: later });
    await deliverWaiting(endpoint);
    await prune(on.store, later);
    expect(await rows(workspaceId)).toEqual({ events: 1, deliveries: 1, attempts: 1 });
    await prune(on.store, later + 1);
    expect(await rows(workspaceId)).toEqual({ events: 0, deliveries: 0, attempts: 0 });
  });

  async function deliverWaiting(endpoint: EndpointRecord): Promise<void> {
    const { workerId, delivery } = await leaseOne(on.store, endpoint, later);
    await on.store.journey.settle(workerId, [settlement(delivery, { at: later })]);
  }

  it('goes in steps, however many are too old', async () => {
    const { workspaceId } = await seed();
    const events = Array.from({ length: 1_200 }, () => ({}));
    await publish(on.store, workspaceId, events);
    await publish(on.store, workspaceId, [{ publicId: 'young' }], later);
    expect(await prune(on.store, later)).toBeGreaterThan(3);
    expect(await rows(workspaceId)).toMatchObject({ events: 1 });
  });

  it('goes on behind rows of a clock that was ahead', async () => {
    const { workspaceId, endpoint } = await seed();
    const { db } = on.database;
    const ahead = later + 365 * 86_400 * second;
    await publishTo(on.store, endpoint, 700, ahead);
    await publishTo(on.store, endpoint, 700);
    await publishTo(on.store, endpoint, 10, later);
    await db
      .updateTable('deliveries')
      .set(({ ref }) => ({ state: deliveryState.succeeded, due_at: ref('created_at') }))
      .execute();
    const columns = ['workspace_id', 'endpoint_id', 'delivery_id', 'type_id', 'attempt', 'endpoint_version'] as const;
    await db
      .insertInto('attempts')
      .columns([...columns, 'duration_ms', 'started_at', 'is_test'])
      .expression((eb) =>
        eb
          .selectFrom('deliveries')
          .innerJoin('events', 'events.id', 'deliveries.event_id')
          .select(['deliveries.workspace_id', 'endpoint_id', 'deliveries.id', 'type_id'])
          .select([sql.lit(1).as('attempt'), sql.lit(1).as('endpoint_version'), sql.lit(1).as('duration_ms')])
          .select(['deliveries.created_at', 'is_test'])
          .orderBy('deliveries.id'),
      )
      .execute();
    await prune(on.store, later);
    expect(await rows(workspaceId)).toEqual({ events: 710, deliveries: 710, attempts: 710 });
  });

  it('looks at no more than a step of what is young', async () => {
    const { workspaceId } = await seed();
    await publish(
      on.store,
      workspaceId,
      Array.from({ length: 100 }, () => ({})),
    );
    await publish(
      on.store,
      workspaceId,
      Array.from({ length: 3_000 }, () => ({})),
      later,
    );
    // One for each table.
    expect(await prune(on.store, later)).toBe(4);
  });

  it('never takes an event that a replay is just making a delivery of', async () => {
    const { workspaceId, endpoint } = await seed();
    const other = await on.database.open();
    const range = { afterEventId: 0, since: t0, until: later, countMax: 500, now: later };
    for (let i = 0; i < 8; i++) {
      await publish(on.store, workspaceId, [{}, {}, {}]);
      const step = {
        endpointId: endpoint.id,
        types: ['contact.created'],
        ...range,
        failed: true,
        missed: true,
        succeeded: true,
      };
      await Promise.all([prune(other, later), on.store.deliveries.replay(workspaceId, step)]);
    }
    const orphans = await on.database.db
      .selectFrom('deliveries')
      .leftJoin('events', 'events.id', 'deliveries.event_id')
      .select('deliveries.id')
      .where('events.id', 'is', null)
      .execute();
    expect(orphans).toEqual([]);
  });
});
