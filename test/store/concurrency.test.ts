import { describe, expect, it } from 'vitest';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import type { Store } from '../../src/core/ports/ports.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { lease, publish, seedEndpoint, seedWorker, seedWorkspace, second, settlement, t0 } from './seed.ts';

const processes = 3;
const publishes = 40;
const rounds = 20;

/** A generator of numbers in [0, 1), the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** Each seventh publish is fanned out in steps. */
const isWide = (publicId: string) => Number.parseInt(publicId.split('-')[1] ?? '', 10) % 7 === 0;

describe.each(engines)('everything at once on $name', (engine) => {
  const on = useDatabase(engine);

  async function publishing(store: Store, name: string, workspaceId: number, random: () => number): Promise<string[]> {
    const stored: string[] = [];
    while (stored.length < publishes) {
      const publicId = `${name}-${stored.length}`;
      const { version, endpoints } = await store.journey.matchable(workspaceId);
      const event = {
        publicId,
        type: `t.${stored.length % 5}`,
        data: '{}',
        occurredAt: t0,
        endpointIds: endpoints.map(({ id }) => id).filter(() => random() < 0.7),
        fanOutNow: !isWide(publicId),
      };
      const events = [event, { ...event, publicId: `${publicId}b` }];
      const batch = { workspaceId, matchableVersion: version, events, now: t0 };
      // Some come twice, at the same moment; those that were matched too early come again.
      const answers = await Promise.all(
        (random() < 0.25 ? [batch, batch] : [batch]).map((one) => store.journey.accept(one)),
      );
      if (answers.some(({ outcome }) => outcome === 'stored')) stored.push(publicId, `${publicId}b`);
    }
    return stored;
  }

  async function working(store: Store, endpoints: EndpointRecord[], random: () => number): Promise<void> {
    let workerId = await seedWorker(store);
    for (let i = 0; i < rounds; i++) {
      const now = t0 + i;
      const { deliveries } = await lease(store, workerId, endpoints, now, 5);
      const fate = random();
      if (fate < 0.1) {
        await store.journey.retireWorker(
          workerId,
          deliveries.slice(0, 2).map(({ id }) => id),
          now,
        );
        workerId = await seedWorker(store, now);
      } else if (fate < 0.2) {
        await store.journey.giveBack(
          workerId,
          deliveries.map(({ id }) => id),
          now,
        );
      } else {
        await Promise.all(
          deliveries.map((one) => store.journey.settle(workerId, [settlement(one, outcome(random, now))])),
        );
      }
      await store.journey.beat(workerId, now + second);
      for (const work of await store.journey.nextToFanOut(1)) await fanOut(store, work);
    }
    await store.journey.retireWorker(workerId, [], t0 + rounds);
  }
  const outcome = (random: () => number, now: number) =>
    random() < 0.6 ? { at: now } : { at: now, error: 'http_5xx' as const, ...(random() < 0.8 ? { dueAt: now } : {}) };

  async function fanOut(
    store: Store,
    work: { eventId: number; workspaceId: number; afterEndpointId: number },
  ): Promise<void> {
    const { version, endpoints } = await store.journey.matchable(work.workspaceId);
    const ids = endpoints.map(({ id }) => id).filter((id) => id > work.afterEndpointId);
    const { eventId, workspaceId, afterEndpointId: fromEndpointId } = work;
    await store.journey.fanOut({
      eventId,
      workspaceId,
      matchableVersion: version,
      endpointIds: ids.slice(0, 2),
      fromEndpointId,
      afterEndpointId: ids.length > 2 ? (ids[1] ?? null) : null,
      now: t0,
    });
  }

  async function managing(
    store: Store,
    workspaceId: number,
    endpoints: EndpointRecord[],
    random: () => number,
  ): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      const { id } = endpoints[Math.floor(random() * endpoints.length)] ?? { id: 0 };
      await store.endpoints.update(workspaceId, id, { status: random() < 0.2 ? 'paused' : 'active', now: t0 + i });
      const [row] = (await store.records.deliveries(workspaceId, { limit: 1, before: Math.ceil(random() * 400) })).rows;
      if (row !== undefined && random() < 0.5) await store.deliveries.retry(workspaceId, row.id, t0 + i);
      if (row !== undefined && random() < 0.1) await store.deliveries.erase(workspaceId, row.eventPublicId, t0 + i);
    }
  }

  it('keeps its books, loses nothing and delivers all that it can', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoints: EndpointRecord[] = [];
    for (let i = 0; i < 5; i++) endpoints.push(await seedEndpoint(on.store, workspaceId));
    const doomed = await seedEndpoint(on.store, workspaceId);
    const stores = [on.store];
    while (stores.length < processes)
      stores.push(await on.database.open({ disableAfterFailures: 8, disableAfterMs: 0 }));

    const done = await Promise.all([
      ...stores.map((store, index) => publishing(store, `p${index}`, workspaceId, numbers(index + 1))),
      ...stores.map((store, index) => working(store, [...endpoints, doomed], numbers(index + 11))),
      ...stores.map((store, index) => managing(store, workspaceId, endpoints, numbers(index + 21))),
      on.store.endpoints.delete(workspaceId, doomed.id, t0).then(() => null),
    ]);
    expect(await brokenInvariants(on.database.db, t0 + rounds)).toEqual([]);

    const acknowledged = done.flatMap((names) => names ?? []);
    expect(acknowledged).toHaveLength(processes * publishes);
    for (const publicId of acknowledged) {
      const event = await on.store.records.event(workspaceId, publicId);
      const eventId = event?.id ?? 0;
      const owed = (await on.store.records.deliveries(workspaceId, { eventId, limit: 10 })).rows;
      // A wide event is matched step by step, with the endpoints of that moment.
      const expected = isWide(publicId) ? owed.length : event?.deliveriesCount;
      expect({ publicId, stored: event !== null, owed: owed.length }).toEqual({
        publicId,
        stored: true,
        owed: expected,
      });
    }
    await deliverAll(workspaceId, endpoints);
    expect(await brokenInvariants(on.database.db, t0 + 2 * rounds)).toEqual([]);
  }, 60_000);

  /** Made active again, every endpoint gets what it is still owed. */
  async function deliverAll(workspaceId: number, endpoints: EndpointRecord[]): Promise<void> {
    const now = t0 + 2 * rounds;
    for (let [work] = await on.store.journey.nextToFanOut(1); work; [work] = await on.store.journey.nextToFanOut(1)) {
      await fanOut(on.store, work);
    }
    await publish(on.store, workspaceId, [{ publicId: 'last', endpointIds: endpoints.map(({ id }) => id) }], now);
    for (const { id } of endpoints) await on.store.endpoints.update(workspaceId, id, { status: 'active', now });
    const workerId = await seedWorker(on.store, now);
    for (let due = await on.store.journey.dueEndpoints(now, 100); due.length > 0; ) {
      const { deliveries } = await lease(on.store, workerId, due, now);
      await on.store.journey.settle(
        workerId,
        deliveries.map((one) => settlement(one, { at: now })),
      );
      due = await on.store.journey.dueEndpoints(now, 100);
    }
    expect((await on.store.records.deliveries(workspaceId, { status: 'pending', limit: 10 })).rows).toEqual([]);
    expect(await on.store.journey.nextDueAt()).toBeNull();
  }
});
