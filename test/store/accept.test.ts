import { describe, expect, it } from 'vitest';
import type { AcceptBatch } from '../../src/core/ports/journey-store.ts';
import type { Store } from '../../src/core/ports/ports.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { newEvent, publish, reread, second, seedEndpoint, seedWorkspace, t0 } from './seed.ts';

describe.each(engines)('accept on $name', (engine) => {
  const on = useDatabase(engine);

  async function batch(
    store: Store,
    workspaceId: number,
    events: Parameters<typeof newEvent>[0][],
  ): Promise<AcceptBatch> {
    const { version } = await store.journey.matchable(workspaceId);
    return { workspaceId, matchableVersion: version, events: events.map(newEvent), now: t0 };
  }
  const eventIds = async (workspaceId: number) =>
    (await on.store.records.events(workspaceId, { limit: 100 })).map(({ publicId }) => publicId);

  it('stores an event with its deliveries', async () => {
    const { store } = on;
    const workspaceId = await seedWorkspace(store);
    const [a, b] = [await seedEndpoint(store, workspaceId), await seedEndpoint(store, workspaceId)];
    const data = '{"b":1,"a":"Zoë \\u0000 \\"quoted\\" \\\\ {x}, NULL","n":1e400}';
    const answer = await publish(store, workspaceId, [
      { publicId: 'evt_1', data, occurredAt: t0 - second, endpointIds: [a.id, b.id] },
    ]);
    expect(answer).toEqual({ outcome: 'stored', events: [{ deliveries: 2, repeated: false }] });
    expect(await store.records.event(workspaceId, 'evt_1')).toMatchObject({
      type: 'contact.created',
      data,
      occurredAt: t0 - second,
      createdAt: t0,
      deliveriesCount: 2,
    });
    const deliveries = (await store.records.deliveries(workspaceId, { limit: 10 })).rows;
    expect(deliveries.map(({ endpointPublicId }) => endpointPublicId).toSorted()).toEqual(
      [a.publicId, b.publicId].toSorted(),
    );
    expect(deliveries[0]).toMatchObject({ status: 'pending', attempts: 0, dueAt: t0, lastError: null, createdAt: t0 });
    expect(await reread(store, a)).toMatchObject({ pendingCount: 1, nextAttemptAt: t0 });
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('stores an event that nobody wants', async () => {
    const workspaceId = await seedWorkspace(on.store);
    expect(await publish(on.store, workspaceId, [{}])).toEqual({
      outcome: 'stored',
      events: [{ deliveries: 0, repeated: false }],
    });
    expect(await on.store.journey.nextDueAt()).toBeNull();
  });

  it('answers a repeated id with the first answer and delivers nothing twice', async () => {
    const { store } = on;
    const workspaceId = await seedWorkspace(store);
    const endpoint = await seedEndpoint(store, workspaceId);
    const event = { publicId: 'evt_1', data: '{"a":1,"b":2}', endpointIds: [endpoint.id] };
    await publish(store, workspaceId, [event]);
    const reordered = { ...event, data: '{"b":2,"a":1}', endpointIds: [], occurredAt: t0 + second };
    const again = await publish(store, workspaceId, [reordered], t0 + second);
    expect(again).toEqual({ outcome: 'stored', events: [{ deliveries: 1, repeated: true }] });
    expect(await reread(store, endpoint)).toMatchObject({ pendingCount: 1 });
    expect(await store.records.event(workspaceId, 'evt_1')).toMatchObject({ data: '{"a":1,"b":2}', occurredAt: t0 });
  });

  it.each([
    ['data', { data: '{"name":"Grace"}' }],
    ['type', { type: 'contact.deleted' }],
  ])('refuses an id that is taken by an event with another %s', async (_what, change) => {
    const workspaceId = await seedWorkspace(on.store);
    await publish(on.store, workspaceId, [{ publicId: 'evt_1' }]);
    const again = await publish(on.store, workspaceId, [{ publicId: 'evt_1', ...change }]);
    expect(again).toEqual({ outcome: 'conflict', index: 0 });
    expect(await on.store.records.event(workspaceId, 'evt_1')).toMatchObject({
      type: 'contact.created',
      data: '{"name":"Ada"}',
    });
  });

  it('takes the same id once in each workspace', async () => {
    const [one, two] = [await seedWorkspace(on.store, 'one'), await seedWorkspace(on.store, 'two')];
    await publish(on.store, one, [{ publicId: 'evt_1' }]);
    const answer = await publish(on.store, two, [{ publicId: 'evt_1', data: '{"other":true}' }]);
    expect(answer).toMatchObject({ outcome: 'stored', events: [{ repeated: false }] });
  });

  it('takes an array whole or not at all', async () => {
    const { store } = on;
    const workspaceId = await seedWorkspace(store);
    const endpoint = await seedEndpoint(store, workspaceId);
    await publish(store, workspaceId, [{ publicId: 'taken' }]);
    const endpointIds = [endpoint.id];
    const answer = await publish(store, workspaceId, [
      { publicId: 'a', endpointIds },
      { publicId: 'taken', data: '{"other":true}', endpointIds },
      { publicId: 'b', type: 'brand.new', endpointIds },
    ]);
    expect(answer).toEqual({ outcome: 'conflict', index: 1 });
    expect(await eventIds(workspaceId)).toEqual(['taken']);
    expect(await reread(store, endpoint)).toMatchObject({ pendingCount: 0, nextAttemptAt: null });
    expect(await publish(store, workspaceId, [{ publicId: 'a' }, { publicId: 'b', type: 'brand.new' }])).toMatchObject({
      outcome: 'stored',
    });
    expect(await store.records.event(workspaceId, 'b')).toMatchObject({ type: 'brand.new' });
  });

  it('answers an array in its order and numbers its events so', async () => {
    const workspaceId = await seedWorkspace(on.store);
    await publish(on.store, workspaceId, [{ publicId: 'known' }]);
    const answer = await publish(on.store, workspaceId, [
      { publicId: 'z' },
      { publicId: 'known' },
      { publicId: 'a' },
      { publicId: 'z' },
    ]);
    expect(answer).toEqual({
      outcome: 'stored',
      events: [false, true, false, true].map((repeated) => ({ deliveries: 0, repeated })),
    });
    expect(await eventIds(workspaceId)).toEqual(['a', 'z', 'known']);
  });

  it('refuses an array that names an id twice for different events', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const answer = await publish(on.store, workspaceId, [
      { publicId: 'a' },
      { publicId: 'b' },
      { publicId: 'a', data: '{}' },
    ]);
    expect(answer).toEqual({ outcome: 'conflict', index: 2 });
    expect(await eventIds(workspaceId)).toEqual([]);
  });

  it('stores nothing that was matched against endpoints as they were before', async () => {
    const { store } = on;
    const workspaceId = await seedWorkspace(store);
    const endpoint = await seedEndpoint(store, workspaceId);
    const old = await batch(store, workspaceId, [{ publicId: 'a', endpointIds: [endpoint.id] }, { publicId: 'b' }]);
    await store.endpoints.update(workspaceId, endpoint.id, { status: 'paused', now: t0 });
    expect(await store.journey.accept(old)).toEqual({ outcome: 'stale' });
    expect(await eventIds(workspaceId)).toEqual([]);
    expect(await reread(store, endpoint)).toMatchObject({ pendingCount: 0 });
  });

  it('answers each of many publishes at once by itself', async () => {
    const { store } = on;
    const [one, two] = [await seedWorkspace(store, 'one'), await seedWorkspace(store, 'two')];
    const endpoint = await seedEndpoint(store, one);
    await publish(store, one, [{ publicId: 'taken' }]);
    const stale = await batch(store, two, [{ publicId: 's' }]);
    await seedEndpoint(store, two);
    const endpointIds = [endpoint.id];
    const twice = await batch(store, one, [{ publicId: 'twice', endpointIds }]);
    const answers = await Promise.all([
      store.journey.accept(await batch(store, one, [{ publicId: 'a', endpointIds }])),
      store.journey.accept(
        await batch(store, one, [
          { publicId: 'c1', endpointIds },
          { publicId: 'taken', data: '{}' },
        ]),
      ),
      store.journey.accept(stale),
      store.journey.accept(twice),
      store.journey.accept(twice),
      store.journey.accept(await batch(store, one, [{ publicId: 'c1', endpointIds }])),
      store.journey.accept(await batch(store, one, [{ publicId: 'twice', data: '{}' }])),
      store.journey.accept(await batch(store, two, [{ publicId: 'a' }])),
    ]);
    const stored = (repeated: boolean, deliveries = 1) => ({ outcome: 'stored', events: [{ deliveries, repeated }] });
    expect(answers).toEqual([
      stored(false),
      { outcome: 'conflict', index: 1 },
      { outcome: 'stale' },
      stored(false),
      stored(true),
      stored(false),
      { outcome: 'conflict', index: 0 },
      stored(false, 0),
    ]);
    expect(await reread(store, endpoint)).toMatchObject({ pendingCount: 3 });
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('stores the same id once when two processes publish it at the same moment', async () => {
    const { store } = on;
    const other = await on.database.open();
    const workspaceId = await seedWorkspace(store);
    const endpoint = await seedEndpoint(store, workspaceId);
    const events = Array.from({ length: 40 }, (_, index) => ({ publicId: `e${index}`, endpointIds: [endpoint.id] }));
    const ahead = await Promise.all(events.map((event) => batch(store, workspaceId, [event])));
    const behind = await Promise.all(events.toReversed().map((event) => batch(other, workspaceId, [event])));
    const answers = await Promise.all([
      ...ahead.map((one) => store.journey.accept(one)),
      ...behind.map((one) => other.journey.accept(one)),
    ]);
    const repeated = answers.map((answer) => answer.outcome === 'stored' && answer.events[0]?.repeated);
    expect(repeated.filter((one) => one === false)).toHaveLength(40);
    expect(repeated.filter((one) => one === true)).toHaveLength(40);
    expect(await reread(store, endpoint)).toMatchObject({ pendingCount: 40 });
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });
});
