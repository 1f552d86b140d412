import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/ports/ports.ts';
import { countReplay } from '../../src/store/manage/overview.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { deliver, newTest, publishTo, seedEndpoint, seedWorkspace, t0 } from './seed.ts';

const hourMs = 3_600_000;
const since = t0 - (t0 % hourMs);

async function counted(store: Store, workspaceId: number): Promise<{ succeeded: number; failed: number }> {
  const cells = await store.overview.statistics(workspaceId, since, since + 24 * hourMs, hourMs);
  const sum = (succeeded: boolean) =>
    cells.filter((cell) => cell.succeeded === succeeded).reduce((all, { count }) => all + count, 0);
  return { succeeded: sum(true), failed: sum(false) };
}

describe.each(engines)('statistics on $name', (engine) => {
  const on = useDatabase(engine);

  /** PostgreSQL is certain of an attempt once all transactions of its time have ended, those of other databases too. */
  async function rollUpAll(): Promise<void> {
    const { db } = on.database;
    const newest = await db
      .selectFrom('attempts')
      .select(({ fn }) => fn.max('id').as('id'))
      .executeTakeFirstOrThrow();
    for (;;) {
      await on.store.overview.rollUp();
      const position = await db.selectFrom('statistics_position').select('attempt_id').executeTakeFirst();
      if (position?.attempt_id === newest.id) return;
    }
  }

  it('count every live attempt once, rolled up or not, and each workspace by itself', async () => {
    const [mine, other] = [await seedWorkspace(on.store), await seedWorkspace(on.store, 'other')];
    const endpoint = await seedEndpoint(on.store, mine);
    const foreign = await seedEndpoint(on.store, other);
    await deliver(on.store, endpoint);
    await deliver(on.store, endpoint, { error: 'timeout', responseCode: null });
    await deliver(on.store, foreign);
    await on.store.journey.recordTest(newTest(endpoint));
    expect(await counted(on.store, mine)).toEqual({ succeeded: 1, failed: 1 });
    await rollUpAll();
    expect(await on.database.db.selectFrom('statistics').selectAll().execute()).toHaveLength(3);
    expect(await counted(on.store, mine)).toEqual({ succeeded: 1, failed: 1 });
    await deliver(on.store, endpoint);
    expect(await counted(on.store, mine)).toEqual({ succeeded: 2, failed: 1 });
    await rollUpAll();
    await on.store.overview.rollUp();
    expect(await counted(on.store, mine)).toEqual({ succeeded: 2, failed: 1 });
    expect(await counted(on.store, other)).toEqual({ succeeded: 1, failed: 0 });
  });

  it('outlive their attempts until they are too old themselves', async () => {
    const workspaceId = await seedWorkspace(on.store);
    await deliver(on.store, await seedEndpoint(on.store, workspaceId));
    await rollUpAll();
    await on.store.journey.prune({ table: 'statistics', after: 0 }, t0 - hourMs);
    expect(await counted(on.store, workspaceId)).toEqual({ succeeded: 1, failed: 0 });
    await on.store.journey.prune({ table: 'statistics', after: 0 }, t0 + hourMs);
    expect(await counted(on.store, workspaceId)).toEqual({ succeeded: 0, failed: 0 });
  });

  it('find the timeline of a delivery, a success at the first go too', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    const [good, bad] = [await deliver(on.store, endpoint), await deliver(on.store, endpoint, { error: 'http_5xx' })];
    await deliver(on.store, endpoint);
    for (const id of [good, bad]) {
      const found = await on.store.records.attemptsOf(workspaceId, id, 10);
      expect(found.map(({ deliveryId, attempt }) => [deliveryId, attempt])).toEqual([[id, 1]]);
    }
  });

  it('count what a replay would queue: failed and missed, not what is delivered or pending', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    const other = await seedEndpoint(on.store, workspaceId);
    await deliver(on.store, endpoint);
    await deliver(on.store, endpoint, { error: 'http_5xx' });
    await publishTo(on.store, other, 2);
    await publishTo(on.store, endpoint, 1);
    const span = { endpointId: endpoint.id, types: ['contact.created'], afterEventId: 0, since: 0, countMax: 100 };
    expect(await on.store.overview.countReplay(workspaceId, span)).toBe(3);
    expect(await on.store.overview.countReplay(workspaceId, { ...span, countMax: 2 })).toBe(2);
    // However long the stretches are, and whoever else has events between.
    for (const stretch of [1, 2, 3, 5, 6]) {
      const count = (countMax: number) => countReplay(on.database.db, workspaceId, { ...span, countMax }, stretch);
      expect([await count(100), await count(2), await count(3)]).toEqual([3, 2, 3]);
    }
  });

  it('give way to everything else while a replay is counted', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    await publishTo(on.store, endpoint, 10);
    const span = { endpointId: endpoint.id, types: ['contact.created'], afterEventId: 0, since: 0, countMax: 100 };
    let turns = 0;
    const turn = () => {
      turns++;
      counting = setImmediate(turn);
    };
    let counting = setImmediate(turn);
    await countReplay(on.database.db, workspaceId, span, 1);
    clearImmediate(counting);
    expect(turns).toBeGreaterThanOrEqual(9);
  });
});
