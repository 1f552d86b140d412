import { describe, expect, it } from 'vitest';
import type { AttemptQuery, DeliveryQuery } from '../../src/core/ports/record-store.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { lease, newTest, publish, second, seedEndpoint, seedWorker, seedWorkspace, settlement, t0 } from './seed.ts';

describe.each(engines)('the log on $name', (engine) => {
  const on = useDatabase(engine);

  /** Twelve attempts: two endpoints, two types, each third one failed; every second a test. */
  async function twelve() {
    const { store } = on;
    const workspaceId = await seedWorkspace(store);
    const endpoints = [await seedEndpoint(store, workspaceId), await seedEndpoint(store, workspaceId)];
    const workerId = await seedWorker(store);
    for (let i = 0; i < 12; i++) {
      const endpoint = endpoints[i % 2];
      if (endpoint === undefined) throw new Error('two endpoints were made');
      const type = i < 6 ? 'a.first' : 'b.second';
      const at = t0 + i * second;
      if (i % 4 === 3) {
        await store.journey.recordTest({ ...newTest(endpoint, { startedAt: at }), eventPublicId: `evt_${i}`, type });
        continue;
      }
      await publish(store, workspaceId, [{ publicId: `evt_${i}`, type, endpointIds: [endpoint.id] }], at);
      const { deliveries } = await lease(store, workerId, [endpoint], at);
      const failed = i % 3 === 0;
      const excerpt = Buffer.from(`body ${i}`);
      await store.journey.settle(
        workerId,
        deliveries.map((one) =>
          settlement(one, { at, eventType: type, excerpt, ...(failed ? { error: 'http_5xx' } : {}) }),
        ),
      );
    }
    const [a, b] = endpoints;
    if (a === undefined || b === undefined) throw new Error('two endpoints were made');
    return { workspaceId, a, b };
  }
  const all = { limit: 200, withExcerpt: false };

  it('filters attempts, and pages through every filter without loss or repetition', async () => {
    const { workspaceId, a } = await twelve();
    const numbers = async (query: Partial<AttemptQuery>) =>
      (await on.store.records.attempts(workspaceId, { ...all, ...query })).rows.map(({ eventPublicId }) =>
        Number(eventPublicId.slice(4)),
      );
    const filters: [Partial<AttemptQuery>, number[]][] = [
      [{}, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
      [{ endpointId: a.id }, [10, 8, 6, 4, 2, 0]],
      [{ status: 'failed' }, [9, 6, 0]],
      [{ status: 'succeeded' }, [11, 10, 8, 7, 5, 4, 3, 2, 1]],
      [{ eventType: 'a.first' }, [5, 4, 3, 2, 1, 0]],
      [{ eventType: 'never.seen' }, []],
      [{ isTest: true }, [11, 7, 3]],
      [{ isTest: false }, [10, 9, 8, 6, 5, 4, 2, 1, 0]],
      [{ since: t0 + 10 * second }, [11, 10]],
      [{ until: t0 + 2 * second }, [1, 0]],
      [{ since: t0 + 2 * second, until: t0 + 5 * second }, [4, 3, 2]],
      [{ endpointId: a.id, status: 'failed', since: t0 + second }, [6]],
    ];
    for (const [filter, expected] of filters) {
      expect({ filter, numbers: await numbers(filter) }).toEqual({ filter, numbers: expected });
      const paged: number[] = [];
      for (let before: number | undefined; ; ) {
        const page = (await on.store.records.attempts(workspaceId, { ...all, ...filter, limit: 2, before })).rows;
        paged.push(...page.map(({ eventPublicId }) => Number(eventPublicId.slice(4))));
        before = page.at(-1)?.id;
        if (page.length < 2) break;
      }
      expect({ filter, paged }).toEqual({ filter, paged: expected });
    }
  });

  it('shows excerpts only when it is asked for them', async () => {
    const { workspaceId } = await twelve();
    const [without] = (await on.store.records.attempts(workspaceId, { ...all, isTest: false, limit: 1 })).rows;
    const [shown] = (
      await on.store.records.attempts(workspaceId, {
        ...all,
        isTest: false,
        limit: 1,
        withExcerpt: true,
      })
    ).rows;
    expect(without?.excerpt).toBeNull();
    expect(shown?.excerpt).toEqual(Buffer.from('body 10'));
  });

  it('lists events and finds each by its id', async () => {
    const { workspaceId } = await twelve();
    const list = async (query: object) =>
      (await on.store.records.events(workspaceId, { limit: 200, ...query })).map(({ publicId }) =>
        Number(publicId.slice(4)),
      );
    expect(await list({})).toEqual([10, 9, 8, 6, 5, 4, 2, 1, 0]);
    expect(await list({ type: 'a.first' })).toEqual([5, 4, 2, 1, 0]);
    const first = await on.store.records.events(workspaceId, { limit: 4 });
    expect(await list({ before: first.at(-1)?.id })).toEqual([5, 4, 2, 1, 0]);
    expect(await on.store.records.event(workspaceId, 'evt_9')).toMatchObject({ type: 'b.second', deliveriesCount: 1 });
    expect(await on.store.records.event(workspaceId, 'evt_3')).toMatchObject({ type: 'a.first' });
    expect(await on.store.records.event(workspaceId, 'evt_99')).toBeNull();
    expect(first[0]).toMatchObject({ type: 'b.second', createdAt: t0 + 10 * second, data: expect.any(String) });
  });

  it('lists deliveries', async () => {
    const { workspaceId, a, b } = await twelve();
    await publish(on.store, workspaceId, [{ publicId: 'evt_20', endpointIds: [a.id, b.id] }]);
    await lease(on.store, await seedWorker(on.store), [b]);
    const list = async (query: Partial<DeliveryQuery>) =>
      (await on.store.records.deliveries(workspaceId, { limit: 200, ...query })).rows.map(({ eventPublicId }) =>
        Number(eventPublicId.slice(4)),
      );
    expect(await list({ status: 'failed' })).toEqual([9, 6, 0]);
    expect(await list({ status: 'pending' })).toEqual([20, 20]);
    expect(await list({ status: 'canceled' })).toEqual([]);
    expect(await list({ status: 'succeeded', endpointId: b.id })).toEqual([11, 7, 5, 3, 1]);
    const event = await on.store.records.event(workspaceId, 'evt_20');
    expect(await list({ eventId: event?.id ?? 0 })).toEqual([20, 20]);
    const page = (await on.store.records.deliveries(workspaceId, { limit: 3 })).rows;
    expect(await list({ before: page.at(-1)?.id ?? 0 })).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  it('keeps a workspace’s own event types', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const put = (name: string, description: string, schema: string | null) =>
      on.store.records.putEventType(
        workspaceId,
        { name, description, schema, example: '{}', validation: schema === null ? 'off' : 'warn' },
        t0,
      );
    await put('b.two', 'old', null);
    await put('a_b.two', 'underscore', null);
    await put('a.two', 'dot', null);
    await put('b.two', 'new', '{"type":"object"}');
    expect(await on.store.records.eventTypes(workspaceId)).toEqual([
      { name: 'a.two', description: 'dot', schema: null, example: '{}', validation: 'off' },
      { name: 'a_b.two', description: 'underscore', schema: null, example: '{}', validation: 'off' },
      { name: 'b.two', description: 'new', schema: '{"type":"object"}', example: '{}', validation: 'warn' },
    ]);
    expect((await on.store.journey.matchable(workspaceId)).eventTypes).toContainEqual({
      name: 'b.two',
      schema: '{"type":"object"}',
      validation: 'warn',
    });
    expect(await on.store.records.deleteEventType(workspaceId, 'b.two')).toBe(true);
    expect(await on.store.records.deleteEventType(workspaceId, 'b.two')).toBe(false);
    expect(await on.store.records.eventTypes(workspaceId)).toHaveLength(2);
  });
});
