import { describe, expect, it } from 'vitest';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, testLimits, useDatabase } from '../support/stores.ts';
import {
  deliver,
  lease,
  leaseOne,
  publishTo,
  reread,
  second,
  seedEndpoint,
  seedWorker,
  seedWorkspace,
  settlement,
  t0,
} from './seed.ts';

describe.each(engines)('settle on $name', (engine) => {
  const on = useDatabase(engine);

  const seed = async () => {
    const workspaceId = await seedWorkspace(on.store);
    return { workspaceId, endpoint: await seedEndpoint(on.store, workspaceId) };
  };
  const attempts = async (workspaceId: number) =>
    (await on.store.records.attempts(workspaceId, { limit: 100, withExcerpt: true })).rows;

  it('records a success', async () => {
    const { workspaceId, endpoint } = await seed();
    await publishTo(on.store, endpoint);
    const { workerId, delivery } = await leaseOne(on.store, endpoint);
    const at = t0 + second;
    const done = settlement(delivery, { at, excerpt: Buffer.from([0, 255, 7]) });
    expect(await on.store.journey.settle(workerId, [done])).toEqual([true]);
    expect(await on.store.records.delivery(workspaceId, delivery.id)).toMatchObject({
      status: 'succeeded',
      attempts: 1,
      dueAt: null,
      lastError: null,
    });
    expect(await attempts(workspaceId)).toEqual([
      {
        id: expect.any(Number),
        deliveryId: delivery.id,
        eventPublicId: expect.stringMatching(/^evt_/),
        eventType: 'contact.created',
        endpointPublicId: endpoint.publicId,
        url: endpoint.url,
        attempt: 1,
        responseCode: 200,
        durationMs: 12,
        error: null,
        isTest: false,
        startedAt: at,
        nextAttemptAt: null,
        excerpt: Buffer.from([0, 255, 7]),
      },
    ]);
    expect(await reread(on.store, endpoint)).toMatchObject({
      status: 'active',
      failureCount: 0,
      lastDeliveredAt: at,
      lastAttemptAt: at,
      lastError: null,
      lastResponseCode: 200,
      pendingCount: 0,
      nextAttemptAt: null,
    });
    expect(await brokenInvariants(on.database.db, at)).toEqual([]);
  });

  it('schedules a retry', async () => {
    const { workspaceId, endpoint } = await seed();
    await publishTo(on.store, endpoint);
    const { workerId, delivery } = await leaseOne(on.store, endpoint);
    const dueAt = t0 + 10 * second;
    await on.store.journey.settle(workerId, [settlement(delivery, { error: 'timeout', responseCode: null, dueAt })]);
    expect(await on.store.records.delivery(workspaceId, delivery.id)).toMatchObject({
      status: 'pending',
      attempts: 1,
      dueAt,
      lastError: 'timeout',
    });
    expect(await attempts(workspaceId)).toMatchObject([
      { error: 'timeout', responseCode: null, nextAttemptAt: dueAt, excerpt: null },
    ]);
    expect(await reread(on.store, endpoint)).toMatchObject({
      failureCount: 1,
      failingSince: t0 + second,
      lastError: 'timeout',
      lastResponseCode: null,
      pendingCount: 1,
      nextAttemptAt: dueAt,
    });
    expect(await on.store.journey.nextDueAt()).toBe(dueAt);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
    const again = await lease(on.store, workerId, [endpoint], dueAt);
    expect(
      await on.store.journey.settle(
        workerId,
        again.deliveries.map((one) => settlement(one)),
      ),
    ).toEqual([true]);
    expect((await attempts(workspaceId)).map(({ attempt }) => attempt)).toEqual([2, 1]);
    expect(await reread(on.store, endpoint)).toMatchObject({ failureCount: 0, failingSince: null, lastError: null });
  });

  it('records a final failure', async () => {
    const { workspaceId, endpoint } = await seed();
    const id = await deliver(on.store, endpoint, { error: 'http_5xx' });
    expect(await on.store.records.delivery(workspaceId, id)).toMatchObject({
      status: 'failed',
      lastError: 'http_5xx',
      dueAt: null,
    });
    expect(await reread(on.store, endpoint)).toMatchObject({
      pendingCount: 0,
      nextAttemptAt: null,
      lastResponseCode: 500,
    });
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('changes nothing for a lease that is no longer held', async () => {
    const { workspaceId, endpoint } = await seed();
    await publishTo(on.store, endpoint, 2);
    const { workerId, delivery } = await leaseOne(on.store, endpoint);
    const stranger = await seedWorker(on.store);
    const before = await reread(on.store, endpoint);
    expect(await on.store.journey.settle(stranger, [settlement(delivery, { error: 'http_5xx' })])).toEqual([false]);
    expect(await attempts(workspaceId)).toEqual([]);
    expect(await reread(on.store, endpoint)).toEqual(before);
    expect(await on.store.journey.settle(workerId, [settlement(delivery)])).toEqual([true]);
    expect(await on.store.journey.settle(workerId, [settlement(delivery, { error: 'http_5xx' })])).toEqual([false]);
    expect(await attempts(workspaceId)).toHaveLength(1);
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 1, failureCount: 0 });
  });

  it('records an attempt once, though its settle is repeated when the same worker holds the delivery again', async () => {
    const { workspaceId, endpoint } = await seed();
    await publishTo(on.store, endpoint);
    const { workerId, delivery } = await leaseOne(on.store, endpoint);
    const dueAt = t0 + 2 * second;
    const first = settlement(delivery, { error: 'http_5xx', dueAt });
    expect(await on.store.journey.settle(workerId, [first])).toEqual([true]);
    const [again] = (await lease(on.store, workerId, [endpoint], dueAt)).deliveries;
    expect(again).toMatchObject({ id: delivery.id, attempts: 1 });
    if (again === undefined) return;
    const both = [
      on.store.journey.settle(workerId, [first]),
      on.store.journey.settle(workerId, [settlement(again, { at: dueAt })]),
    ];
    expect(await Promise.all(both)).toEqual([[false], [true]]);
    expect((await attempts(workspaceId)).map(({ attempt, error }) => [attempt, error])).toEqual([
      [2, null],
      [1, 'http_5xx'],
    ]);
  });

  it('tells held from lost leases, whoever settles what in the same moment', async () => {
    const { endpoint } = await seed();
    await publishTo(on.store, endpoint, 3);
    const mine = await seedWorker(on.store);
    const theirs = await seedWorker(on.store);
    const [a, b] = (await lease(on.store, mine, [endpoint], t0, 2)).deliveries;
    const [c] = (await lease(on.store, theirs, [endpoint], t0, 1)).deliveries;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three deliveries were due');
    const answers = await Promise.all([
      on.store.journey.settle(theirs, [settlement(a), settlement(c)]),
      on.store.journey.settle(mine, [
        settlement(a),
        settlement(b, { error: 'timeout', responseCode: null, dueAt: t0 }),
        settlement(a),
      ]),
      on.store.journey.settle(mine, []),
    ]);
    expect(answers).toEqual([[false, true], [true, true, false], []]);
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 1, failureCount: 1 });
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('disables an endpoint that keeps failing, and lets publishing know', async () => {
    const { workspaceId, endpoint } = await seed();
    const { version } = await on.store.journey.matchable(workspaceId);
    const failures = testLimits.disableAfterFailures;
    const last = t0 + testLimits.disableAfterMs;
    for (let i = 1; i < failures; i++) await deliver(on.store, endpoint, { error: 'http_5xx', at: t0 });
    expect(await reread(on.store, endpoint)).toMatchObject({ status: 'active', failureCount: failures - 1 });
    expect(await on.store.journey.matchable(workspaceId)).toMatchObject({ version });
    await deliver(on.store, endpoint, { error: 'http_5xx', at: last });
    expect(await reread(on.store, endpoint)).toMatchObject({
      status: 'disabled',
      failureCount: failures,
      disabledReason: 'repeated_failures',
      disabledAt: last,
    });
    expect(await on.store.journey.matchable(workspaceId)).toEqual({
      version: version + 1,
      endpoints: [],
      automations: [],
      eventTypes: [],
    });
  });

  it('counts every failure of a batch, and stops where one disables', async () => {
    const { endpoint } = await seed();
    await publishTo(on.store, endpoint, 4);
    const workerId = await seedWorker(on.store);
    const { deliveries } = await lease(on.store, workerId, [endpoint]);
    const settlements = deliveries.map((one, index) =>
      settlement(one, { error: 'http_4xx', responseCode: index === 1 ? 410 : 404, dueAt: t0 + second }),
    );
    await on.store.journey.settle(workerId, settlements);
    expect(await reread(on.store, endpoint)).toMatchObject({
      status: 'disabled',
      disabledReason: 'gone',
      failureCount: 4,
      pendingCount: 4,
      lastResponseCode: 404,
    });
  });

  it('cancels the retry of an endpoint that was deleted meanwhile', async () => {
    const { workspaceId, endpoint } = await seed();
    await publishTo(on.store, endpoint, 2);
    const workerId = await seedWorker(on.store);
    const { deliveries } = await lease(on.store, workerId, [endpoint]);
    await on.store.endpoints.delete(workspaceId, endpoint.id, t0);
    const [failed, succeeded] = deliveries;
    if (failed === undefined || succeeded === undefined) throw new Error('two deliveries were due');
    const outcomes = [
      settlement(failed, { error: 'timeout', responseCode: null, dueAt: t0 + second }),
      settlement(succeeded),
    ];
    expect(await on.store.journey.settle(workerId, outcomes)).toEqual([true, true]);
    expect(await on.store.records.delivery(workspaceId, failed.id)).toMatchObject({ status: 'canceled', attempts: 1 });
    expect(await on.store.records.delivery(workspaceId, succeeded.id)).toMatchObject({ status: 'succeeded' });
    expect(await attempts(workspaceId)).toHaveLength(2);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('keeps the longest hold that a receiver asked for', async () => {
    const { endpoint } = await seed();
    await deliver(on.store, endpoint, {
      error: 'http_5xx',
      responseCode: 503,
      dueAt: t0 + 9 * second,
      holdUntil: t0 + 9 * second,
    });
    await on.database.db
      .updateTable('endpoints')
      .set({ held_until: t0 + 20 * second })
      .where('id', '=', endpoint.id)
      .execute();
    await publishTo(on.store, endpoint);
    expect(await on.store.journey.nextDueAt()).toBe(t0 + 20 * second);
    expect(await reread(on.store, endpoint)).toMatchObject({ heldUntil: t0 + 20 * second });
  });

  it('records attempts of several endpoints and types at once', async () => {
    const { workspaceId, endpoint } = await seed();
    const other = await seedEndpoint(on.store, workspaceId);
    await publishTo(on.store, endpoint, 2);
    await publishTo(on.store, other, 2);
    const workerId = await seedWorker(on.store);
    const { deliveries } = await lease(on.store, workerId, [endpoint, other]);
    const settled = await Promise.all(
      deliveries.map((one, index) =>
        on.store.journey.settle(workerId, [settlement(one, { eventType: `type.${index}` })]),
      ),
    );
    expect(settled).toEqual([[true], [true], [true], [true]]);
    const rows = await attempts(workspaceId);
    expect(rows.map(({ eventType }) => eventType)).toEqual(['type.3', 'type.2', 'type.1', 'type.0']);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });
});
