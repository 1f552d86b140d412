import { describe, expect, it } from 'vitest';
import type { ReplayStep } from '../../src/core/ports/delivery-store.ts';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import { replay } from '../../src/store/manage/replay.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import {
  deliver,
  lease,
  newTest,
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

const later = t0 + 60 * second;

describe.each(engines)('changing deliveries on $name', (engine) => {
  const on = useDatabase(engine);

  const seed = async () => {
    const workspaceId = await seedWorkspace(on.store);
    return { workspaceId, endpoint: await seedEndpoint(on.store, workspaceId) };
  };
  const retry = (workspaceId: number, id: number) => on.store.deliveries.retry(workspaceId, id, later);

  describe('retry', () => {
    it('makes a finished delivery due again and frees the hold', async () => {
      const { workspaceId, endpoint } = await seed();
      const id = await deliver(on.store, endpoint, { error: 'http_5xx', responseCode: 503, holdUntil: later + second });
      expect(await retry(workspaceId, id)).toBe('queued');
      expect(await on.store.records.delivery(workspaceId, id)).toMatchObject({
        status: 'pending',
        dueAt: later,
        attempts: 1,
      });
      expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 1, heldUntil: null });
      expect(await brokenInvariants(on.database.db, later)).toEqual([]);
      const { deliveries } = await lease(on.store, await seedWorker(on.store), [endpoint], later);
      expect(deliveries).toMatchObject([{ id, attempts: 1 }]);
    });

    it('brings a waiting delivery forward without counting it twice', async () => {
      const { workspaceId, endpoint } = await seed();
      const id = await deliver(on.store, endpoint, { error: 'timeout', responseCode: null, dueAt: later + 9 * second });
      expect(await retry(workspaceId, id)).toBe('queued');
      expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 1, nextAttemptAt: later });
      expect(await brokenInvariants(on.database.db, later)).toEqual([]);
    });

    it('says why it does not', async () => {
      const { workspaceId, endpoint } = await seed();
      await publishTo(on.store, endpoint);
      const { delivery } = await leaseOne(on.store, endpoint);
      expect(await retry(workspaceId, delivery.id)).toBe('in_flight');
      expect(await retry(workspaceId, delivery.id + 1_000)).toBe('not_found');
      const failed = await deliver(on.store, endpoint, { error: 'http_5xx' });
      await on.store.endpoints.update(workspaceId, endpoint.id, { status: 'paused', now: t0 });
      expect(await retry(workspaceId, failed)).toBe('not_active');
      await on.store.endpoints.update(workspaceId, endpoint.id, { status: 'active', now: t0 });
      const [{ eventPublicId } = { eventPublicId: '' }] = (await on.store.records.deliveries(workspaceId, { limit: 1 }))
        .rows;
      await on.store.deliveries.erase(workspaceId, eventPublicId, t0);
      expect(await retry(workspaceId, failed)).toBe('erased');
      const test = await on.store.journey.recordTest(newTest(endpoint));
      expect(await retry(workspaceId, test.deliveryId)).toBe('test');
      expect(await brokenInvariants(on.database.db, later)).toEqual([]);
    });

    it('agrees with leases, deletions and other retries of the same moment', async () => {
      const { workspaceId, endpoint } = await seed();
      const doomed = await seedEndpoint(on.store, workspaceId);
      const other = await on.database.open();
      const ids: number[] = [];
      for (const one of [endpoint, doomed])
        for (let i = 0; i < 4; i++) ids.push(await deliver(on.store, one, { error: 'http_5xx' }));
      await on.store.endpoints.update(workspaceId, endpoint.id, { status: 'active', now: t0 });
      await on.store.endpoints.update(workspaceId, doomed.id, { status: 'active', now: t0 });
      const workerId = await seedWorker(on.store);
      await Promise.all([
        ...ids.flatMap((id) => [
          on.store.deliveries.retry(workspaceId, id, later),
          other.deliveries.retry(workspaceId, id, later),
        ]),
        ...[1, 2, 3].map(() => lease(on.store, workerId, [endpoint, doomed], later, 2)),
        other.endpoints.delete(workspaceId, doomed.id, later),
      ]);
      expect(await brokenInvariants(on.database.db, later)).toEqual([]);
      expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 4 });
    });
  });

  describe('replay', () => {
    const step = (endpoint: EndpointRecord, change: Partial<ReplayStep> = {}): ReplayStep => ({
      endpointId: endpoint.id,
      types: ['contact.created'],
      afterEventId: 0,
      since: t0,
      until: later,
      failed: true,
      missed: true,
      succeeded: false,
      countMax: 100,
      now: later,
      ...change,
    });

    it('does not mark a held endpoint as due before its hold ends', async () => {
      const { workspaceId, endpoint } = await seed();
      const hold = later + 600 * second;
      await deliver(on.store, endpoint, { error: 'http_4xx', responseCode: 429, holdUntil: hold });
      expect(await on.store.deliveries.replay(workspaceId, step(endpoint))).toMatchObject({ queued: 1 });
      expect(await on.store.journey.nextDueAt()).toBe(hold);
      expect(await on.store.journey.dueEndpoints(hold - 1, 10)).toEqual([]);
      expect(await on.store.journey.dueEndpoints(hold, 10)).toHaveLength(1);
      expect(await brokenInvariants(on.database.db, later)).toEqual([]);
    });

    it('asks the filter about each event, with its data, and queues what it takes', async () => {
      const { workspaceId, endpoint } = await seed();
      await deliver(on.store, endpoint, { error: 'http_5xx' });
      await publish(on.store, workspaceId, [
        { publicId: 'one', data: '{"a":1}' },
        { publicId: 'two', data: '{"a":2}', occurredAt: t0 - second },
      ]);
      const asked: unknown[] = [];
      const takes: ReplayStep['takes'] = (event) => {
        asked.push(event);
        return event.data === '{"a":2}';
      };
      expect(await on.store.deliveries.replay(workspaceId, step(endpoint, { takes }))).toMatchObject({ queued: 1 });
      expect(asked.at(-1)).toEqual(
        expect.objectContaining({
          publicId: 'two',
          type: 'contact.created',
          occurredAt: t0 - second,
          data: '{"a":2}',
        }),
      );
      const pending = (await on.store.records.deliveries(workspaceId, { status: 'pending', limit: 10 })).rows;
      expect(pending.map(({ eventPublicId }) => eventPublicId)).toEqual(['two']);
    });

    it('queues what failed and what was missed, and tells where to go on', async () => {
      const { workspaceId, endpoint } = await seed();
      const failed = await deliver(on.store, endpoint, { error: 'http_5xx' });
      const done = await deliver(on.store, endpoint);
      await publish(on.store, workspaceId, [{ publicId: 'missed' }, { publicId: 'other', type: 'other.type' }]);
      await publish(on.store, workspaceId, [{ publicId: 'too late' }], later);
      const answer = await on.store.deliveries.replay(workspaceId, step(endpoint));
      expect(answer).toEqual({ queued: 2, lastEventId: null, nextAt: null });
      const pending = (await on.store.records.deliveries(workspaceId, { status: 'pending', limit: 10 })).rows;
      expect(pending.map(({ eventPublicId }) => eventPublicId)).toContain('missed');
      expect(pending.map(({ id }) => id)).toContain(failed);
      expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 2, nextAttemptAt: later });
      expect(await on.store.deliveries.replay(workspaceId, step(endpoint))).toMatchObject({ queued: 0 });
      expect(await on.store.deliveries.replay(workspaceId, step(endpoint, { succeeded: true }))).toMatchObject({
        queued: 1,
      });
      expect(await on.store.records.delivery(workspaceId, done)).toMatchObject({ status: 'pending', attempts: 1 });
      const { deliveries } = await lease(on.store, await seedWorker(on.store), [endpoint], later);
      expect(deliveries.map(({ steps }) => steps)).toEqual([0, 0, 0]);
      expect(await brokenInvariants(on.database.db, later)).toEqual([]);
    });

    it('goes step by step', async () => {
      const { workspaceId, endpoint } = await seed();
      for (let i = 0; i < 5; i++) await publish(on.store, workspaceId, [{ publicId: `e${i}` }], t0 + i * second);
      const first = await on.store.deliveries.replay(workspaceId, step(endpoint, { countMax: 2 }));
      expect(first).toEqual({ queued: 2, lastEventId: expect.any(Number), nextAt: t0 + 2 * second });
      const afterEventId = first.lastEventId ?? 0;
      const rest = await on.store.deliveries.replay(workspaceId, step(endpoint, { afterEventId }));
      expect(rest).toEqual({ queued: 3, lastEventId: null, nextAt: null });
      expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 5 });
    });

    it('looks at a stretch of events in each step, wanted or not, and ends where its time is over', async () => {
      const { workspaceId, endpoint } = await seed();
      const minutes = (count: number) => later + count * 60 * second;
      const publishAt = (publicId: string, type: string, at: number) =>
        publish(on.store, workspaceId, [{ publicId, type }], at);
      for (const [n, type] of ['other', 'contact.created', 'other', 'other', 'other', 'contact.created'].entries())
        await publishAt(`e${n}`, type, t0 + n);
      for (let n = 0; n < 9; n++) await publishAt(`late${n}`, 'contact.created', minutes(n));
      const queued: number[] = [];
      const nextAts: (number | null)[] = [];
      for (let afterEventId: number | null = 0; afterEventId !== null; ) {
        const one = step(endpoint, { afterEventId });
        const { answer } = await on.database.db.transaction().execute((trx) => replay(trx, workspaceId, one, 2));
        queued.push(answer.queued);
        nextAts.push(answer.nextAt);
        afterEventId = answer.lastEventId;
      }
      expect(queued).toEqual([1, 0, 1, 0]);
      // Beyond one minute more, no clock was so far behind that it published before the end.
      expect(nextAts).toEqual([t0 + 2, t0 + 4, minutes(0), null]);
      expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 2 });
      expect(await brokenInvariants(on.database.db, later)).toEqual([]);
    });

    it('finds where a time begins', async () => {
      const { workspaceId } = await seed();
      const hour = 3_600_000;
      for (let i = 0; i < 9; i++) await publish(on.store, workspaceId, [{ publicId: `e${i}` }], t0 + i * hour);
      const ids = (await on.store.records.events(workspaceId, { limit: 10 })).map(({ id }) => id).toReversed();
      expect(await on.store.deliveries.eventBefore(t0 + 4 * hour)).toBe(ids[3]);
      expect(await on.store.deliveries.eventBefore(t0 - hour)).toBeLessThan(ids[0] ?? 0);
      expect(await on.store.deliveries.eventBefore(t0 + 99 * hour)).toBe(ids.at(-1));
    });
  });

  describe('erase', () => {
    it('erases the payload, cancels what is pending, keeps the log', async () => {
      const { workspaceId, endpoint } = await seed();
      const other = await seedEndpoint(on.store, workspaceId);
      await publish(on.store, workspaceId, [{ publicId: 'evt', endpointIds: [endpoint.id, other.id] }]);
      const { workerId, delivery } = await leaseOne(on.store, endpoint);
      await on.store.journey.settle(workerId, [settlement(delivery)]);
      expect(await on.store.deliveries.erase(workspaceId, 'evt', later)).toMatchObject({ publicId: 'evt', data: null });
      expect(await on.store.records.event(workspaceId, 'evt')).toMatchObject({ data: null, type: 'contact.created' });
      expect((await on.store.records.deliveries(workspaceId, { limit: 10 })).rows).toMatchObject([
        { status: 'canceled' },
        { status: 'succeeded' },
      ]);
      expect(await reread(on.store, other)).toMatchObject({ pendingCount: 0 });
      expect((await on.store.records.attempts(workspaceId, { limit: 10, withExcerpt: false })).rows).toHaveLength(1);
      expect(await on.store.deliveries.erase(workspaceId, 'unknown', later)).toBeNull();
      expect(await brokenInvariants(on.database.db, later)).toEqual([]);
    });

    it('stops the fanning out of a wide event', async () => {
      const { workspaceId, endpoint } = await seed();
      await publish(on.store, workspaceId, [{ publicId: 'wide', endpointIds: [endpoint.id], fanOutNow: false }]);
      await on.store.deliveries.erase(workspaceId, 'wide', later);
      expect(await on.store.journey.nextToFanOut(9)).toEqual([]);
    });

    it('answers a repeated publish of what was erased as before', async () => {
      const { workspaceId } = await seed();
      await publish(on.store, workspaceId, [{ publicId: 'evt' }]);
      await on.store.deliveries.erase(workspaceId, 'evt', later);
      const again = await publish(on.store, workspaceId, [{ publicId: 'evt', data: '{"any":1}' }]);
      expect(again).toMatchObject({ outcome: 'stored', events: [{ repeated: true }] });
    });
  });
});
