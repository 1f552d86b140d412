import { describe, expect, it } from 'vitest';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import type { TestRecord } from '../../src/core/ports/journey-store.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import {
  deliver,
  lease,
  newTest,
  publishTo,
  reread,
  second,
  seedEndpoint,
  seedWorker,
  seedWorkspace,
  t0,
} from './seed.ts';

describe.each(engines)('recording a test on $name', (engine) => {
  const on = useDatabase(engine);

  const record = (endpoint: EndpointRecord, change: Partial<TestRecord['attempt']> = {}): TestRecord => ({
    ...newTest(endpoint, { startedAt: t0 + second, ...change }),
    eventPublicId: 'evt_test',
  });
  const seed = async () => seedEndpoint(on.store, await seedWorkspace(on.store), { url: 'https://one.example/' });

  it('answers its attempt, which the log then shows', async () => {
    const endpoint = await seed();
    const test = record(endpoint, { error: 'http_4xx', responseCode: 404, excerpt: Buffer.from('no such page') });
    const answer = await on.store.journey.recordTest(test);
    expect(answer).toEqual({
      id: expect.any(Number),
      deliveryId: expect.any(Number),
      eventPublicId: 'evt_test',
      eventType: 'form.submitted',
      endpointPublicId: endpoint.publicId,
      url: 'https://one.example/',
      attempt: 1,
      responseCode: 404,
      durationMs: 7,
      error: 'http_4xx',
      isTest: true,
      startedAt: t0 + second,
      nextAttemptAt: null,
      excerpt: Buffer.from('no such page'),
    });
    expect((await on.store.records.attempts(endpoint.workspaceId, { limit: 10, withExcerpt: true })).rows).toEqual([
      answer,
    ]);
    expect(await on.store.records.delivery(endpoint.workspaceId, answer.deliveryId)).toMatchObject({
      status: 'failed',
      attempts: 1,
    });
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it.each([
    ['a success', undefined],
    ['a failure', 'timeout' as const],
  ])('changes no counter by %s', async (_what, error) => {
    const endpoint = await seed();
    await deliver(on.store, endpoint, { error: 'http_5xx', dueAt: t0 + 9 * second });
    const before = await reread(on.store, endpoint);
    await on.store.journey.recordTest(record(endpoint, error === undefined ? {} : { error, responseCode: null }));
    expect(await reread(on.store, endpoint)).toEqual(before);
    expect(await on.store.journey.nextDueAt()).toBe(t0 + 9 * second);
    expect(await on.store.records.events(endpoint.workspaceId, { limit: 10 })).toHaveLength(1);
  });

  it('frees an endpoint that is held back when it succeeds, and only then', async () => {
    const endpoint = await seed();
    const hold = { holdUntil: t0 + 60 * second, dueAt: t0 + 60 * second };
    await deliver(on.store, endpoint, { error: 'http_4xx', responseCode: 429, ...hold });
    await publishTo(on.store, endpoint);
    await on.store.journey.recordTest({
      ...record(endpoint, { error: 'timeout', responseCode: null }),
      eventPublicId: 'evt_other',
    });
    expect(await reread(on.store, endpoint)).toMatchObject({ heldUntil: hold.holdUntil });
    await on.store.journey.recordTest(record(endpoint));
    expect(await reread(on.store, endpoint)).toMatchObject({ heldUntil: null });
    const now = t0 + second;
    expect(await on.store.journey.dueEndpoints(now, 10)).toHaveLength(1);
    expect((await lease(on.store, await seedWorker(on.store), [endpoint], now)).deliveries).toHaveLength(1);
    expect(await brokenInvariants(on.database.db, now)).toEqual([]);
  });
});
