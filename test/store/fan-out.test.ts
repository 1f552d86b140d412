import { describe, expect, it } from 'vitest';
import { makeConditions } from '../../src/conditions/conditions.ts';
import { FanOut } from '../../src/core/journey/fan-out.ts';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import { schemas } from '../../src/schemas/schemas.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { leaseOne, publish, reread, second, seedEndpoint, seedWorkspace, settlement, t0 } from './seed.ts';

describe.each(engines)('fanning out in steps on $name', (engine) => {
  const on = useDatabase(engine);

  /** A wide event with four endpoints, and how a step of it is made. */
  async function wideEvent() {
    const { store } = on;
    const workspaceId = await seedWorkspace(store);
    const endpoints: EndpointRecord[] = [];
    for (let i = 0; i < 4; i++) endpoints.push(await seedEndpoint(store, workspaceId));
    const ids = endpoints.map(({ id }) => id);
    await publish(store, workspaceId, [{ publicId: 'wide', endpointIds: ids, fanOutNow: false }]);
    const [work] = await store.journey.nextToFanOut(1);
    if (work === undefined) throw new Error('there is nothing to fan out');
    const { version } = await store.journey.matchable(workspaceId);
    const step = (endpointIds: number[], fromEndpointId: number, afterEndpointId: number | null) => ({
      eventId: work.eventId,
      workspaceId,
      matchableVersion: version,
      endpointIds,
      fromEndpointId,
      afterEndpointId,
      now: t0 + second,
    });
    const owed = async () => {
      const rows = await Promise.all(endpoints.map((endpoint) => reread(store, endpoint)));
      return rows.map(({ pendingCount }) => pendingCount);
    };
    return { workspaceId, endpoints, ids, work, step, owed };
  }

  it('stores a wide event without deliveries and says what is to be done', async () => {
    const { workspaceId, work, owed } = await wideEvent();
    expect(work).toEqual({
      eventId: expect.any(Number),
      workspaceId,
      publicId: 'wide',
      type: 'contact.created',
      occurredAt: t0,
      data: '{"name":"Ada"}',
      createdAt: t0,
      afterEndpointId: 0,
    });
    expect(await owed()).toEqual([0, 0, 0, 0]);
    expect(await on.store.records.event(workspaceId, 'wide')).toMatchObject({ deliveriesCount: 4 });
  });

  it('makes the deliveries step by step', async () => {
    const { ids, step, owed } = await wideEvent();
    const [a = 0, b = 0] = ids;
    expect(await on.store.journey.fanOut(step([a, b], 0, b))).toBe(true);
    expect(await owed()).toEqual([1, 1, 0, 0]);
    expect(await on.store.journey.nextToFanOut(9)).toMatchObject([{ afterEndpointId: b }]);
    await on.store.journey.fanOut(step(ids.slice(2), b, null));
    expect(await owed()).toEqual([1, 1, 1, 1]);
    expect(await on.store.journey.nextToFanOut(9)).toEqual([]);
    expect(await on.store.journey.dueEndpoints(t0 + second, 10)).toHaveLength(4);
    expect(await brokenInvariants(on.database.db, t0 + second)).toEqual([]);
  });

  it('goes from one workspace to the next, with the oldest of each', async () => {
    const { store } = on;
    const workspaces = [
      await seedWorkspace(store),
      await seedWorkspace(store, 'second'),
      await seedWorkspace(store, 'third'),
    ];
    const [first = 0, , third = 0] = workspaces;
    const wide = (workspaceId: number, publicId: string) =>
      publish(store, workspaceId, [{ publicId, endpointIds: [1, 2], fanOutNow: false }]);
    for (const id of ['a', 'b', 'c']) await wide(first, id);
    await wide(third, 'd');
    const look = async (...args: Parameters<typeof store.journey.nextToFanOut>) =>
      (await store.journey.nextToFanOut(...args)).map(({ publicId }) => publicId);
    expect(await look(2)).toEqual(['a', 'b']);
    expect(await look(9, first)).toEqual(['d']);
    expect(await look(9, third)).toEqual(['a', 'b', 'c']);
    // Each makes two deliveries.
    expect(await look(9, third, 3)).toEqual(['a', 'b']);
    expect(await look(9, third, 1)).toEqual(['a']);
  });

  it('makes a step once, however many workers make it at the same time', async () => {
    const { ids, step, owed } = await wideEvent();
    const other = await on.database.open();
    const again = () => [on.store, other].map((store) => store.journey.fanOut(step(ids, 0, null)));
    await Promise.all([...again(), ...again(), ...again()]);
    await on.store.journey.fanOut(step(ids, 0, null));
    expect(await owed()).toEqual([1, 1, 1, 1]);
    expect(await brokenInvariants(on.database.db, t0 + second)).toEqual([]);
  });

  it('changes nothing when the endpoints are no longer those that were matched', async () => {
    const { workspaceId, endpoints, ids, step, owed } = await wideEvent();
    const old = step(ids, 0, null);
    await on.store.endpoints.update(workspaceId, endpoints[3]?.id ?? 0, { status: 'paused', now: t0 });
    expect(await on.store.journey.fanOut(old)).toBe(false);
    expect(await owed()).toEqual([0, 0, 0, 0]);
    expect(await on.store.journey.nextToFanOut(9)).toMatchObject([{ afterEndpointId: 0 }]);
  });

  it('has a replay leave to it what it has yet to make, and not what it has passed', async () => {
    const { workspaceId, ids, step, owed } = await wideEvent();
    const [a = 0, b = 0, c = 0] = ids;
    const range = { types: ['contact.created'], afterEventId: 0, since: t0 };
    const replay = (endpointId: number) =>
      on.store.deliveries.replay(workspaceId, {
        ...range,
        endpointId,
        until: t0 + second,
        failed: false,
        missed: true,
        succeeded: false,
        countMax: 10,
        now: t0,
      });
    const missed = (endpointId: number) =>
      on.store.overview.countReplay(workspaceId, { ...range, endpointId, countMax: 10 });
    // The first does not want it when its turn comes.
    await on.store.journey.fanOut(step([b], 0, b));
    expect([await missed(a), await missed(b), await missed(c)]).toEqual([1, 0, 0]);
    for (const id of [a, b, c]) await replay(id);
    expect(await owed()).toEqual([1, 1, 0, 0]);
    await on.store.journey.fanOut(step(ids.slice(2), b, null));
    expect(await owed()).toEqual([1, 1, 1, 1]);
    expect(await brokenInvariants(on.database.db, t0 + second)).toEqual([]);
  });

  it('owes it to whoever was active when it was published, whatever became of them and whatever their clocks say', async () => {
    const { store, database } = on;
    const workspaceId = await seedWorkspace(store);
    const names = ['active', 'paused', 'disabled', 'moved', 'deleted', 'paused before'] as const;
    const made = new Map<string, EndpointRecord>();
    const behind = t0 - 60 * second;
    for (const name of names) {
      const now = name === 'paused before' ? behind : t0;
      made.set(name, await seedEndpoint(store, workspaceId, { now }));
    }
    const id = (name: (typeof names)[number]) => made.get(name)?.id ?? 0;
    await store.endpoints.update(workspaceId, id('paused before'), { status: 'paused', now: behind });
    await publish(store, workspaceId, [{ publicId: 'before', endpointIds: [id('disabled')] }], behind);
    await publish(store, workspaceId, [
      { publicId: 'wide', endpointIds: [...made.values()].map((one) => one.id), fanOutNow: false },
    ]);
    // Twice: a change that comes later by a clock that is behind takes nothing back.
    for (let times = 0; times < 2; times++)
      await store.endpoints.update(workspaceId, id('paused'), { status: 'paused', now: behind });
    await store.endpoints.update(workspaceId, id('moved'), { status: 'pending_approval', now: behind });
    await store.endpoints.delete(workspaceId, id('deleted'), behind);
    const { workerId, delivery } = await leaseOne(store, made.get('disabled') as EndpointRecord, t0);
    await store.journey.settle(workerId, [settlement(delivery, { error: 'http_4xx', responseCode: 410, at: behind })]);
    expect(await reread(store, made.get('disabled') as EndpointRecord)).toMatchObject({ status: 'disabled' });
    const clock = { now: () => t0, monotonic: () => t0, after: () => () => {} };
    await new FanOut({ store, clock, conditions: makeConditions(), schemas }, () => true).run();
    const rows = await database.db
      .selectFrom('deliveries')
      .innerJoin('events', 'events.id', 'deliveries.event_id')
      .select('deliveries.endpoint_id')
      .where('events.public_id', '=', 'wide')
      .orderBy('deliveries.endpoint_id')
      .execute();
    expect(rows.map(({ endpoint_id }) => endpoint_id)).toEqual([
      id('active'),
      id('paused'),
      id('disabled'),
      id('moved'),
    ]);
    expect(await brokenInvariants(database.db, t0 + second)).toEqual([]);
  });
});
