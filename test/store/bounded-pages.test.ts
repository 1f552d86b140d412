import { describe, expect, it } from 'vitest';
import type { AttemptQuery } from '../../src/core/ports/record-store.ts';
import { deliveriesPage } from '../../src/store/manage/delivery-pages.ts';
import { logPage } from '../../src/store/manage/log-page.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { deliver, seedEndpoint, seedWorkspace } from './seed.ts';

/** How many stretches one page looks at. */
const stretches = 40;
const page = { limit: 10, withExcerpt: false };

describe.each(engines)('a page of a long log on $name', (engine) => {
  const on = useDatabase(engine);

  /** Attempts of which only the oldest is of another type; `look` looks at one row in a stretch. */
  async function longLog(others: number) {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    await deliver(on.store, endpoint, { eventType: 'rare.type' });
    for (let other = 0; other < others; other++) await deliver(on.store, endpoint, { eventType: 'contact.created' });
    const rows = await on.database.db.selectFrom('attempts').select('id').orderBy('id').execute();
    const ids = rows.map(({ id }) => id);
    const look = (query: Partial<AttemptQuery>) => logPage(on.database.db, workspaceId, { ...page, ...query }, 1);
    return { workspaceId, endpoint, ids, look };
  }

  it('looks at forty stretches and no more, and its cursor goes on from there', async () => {
    const { endpoint, ids, look } = await longLog(stretches);
    const [first = 0, second = 0] = ids;
    const rare = { eventType: 'rare.type', endpointId: endpoint.id };
    expect(await look(rare)).toEqual({ rows: [], goOnBefore: second });
    expect(await look({ ...rare, before: second })).toMatchObject({
      rows: [{ id: first, eventType: 'rare.type' }],
      goOnBefore: null,
    });
  });

  it('looks at the last row of the last stretch, too', async () => {
    const { endpoint, ids, look } = await longLog(stretches - 1);
    const found = await look({ eventType: 'rare.type', endpointId: endpoint.id });
    expect(found).toMatchObject({ rows: [{ id: ids[0] }] });
  });

  it('finds what has an index wherever it is', async () => {
    const { ids, look } = await longLog(stretches);
    expect(await look({ eventType: 'rare.type' })).toMatchObject({ rows: [{ id: ids[0] }], goOnBefore: null });
    expect(await look({ status: 'failed' })).toEqual({ rows: [], goOnBefore: null });
    expect(await look({ isTest: true })).toEqual({ rows: [], goOnBefore: null });
  });

  it('finds a workspace with few attempts beside one with many', async () => {
    const { look } = await longLog(0);
    const busyId = await seedWorkspace(on.store, 'busy');
    const busy = await seedEndpoint(on.store, busyId);
    for (let other = 0; other < stretches; other++) await deliver(on.store, busy, {});
    expect((await look({ status: 'succeeded' })).rows).toHaveLength(1);
    expect((await look({ isTest: false })).rows).toHaveLength(1);
    expect(await look({})).toMatchObject({ rows: [{ eventType: 'rare.type' }], goOnBefore: null });
  });

  it('ends where the page is full, where the log ends, and where it was asked to', async () => {
    const { ids, look } = await longLog(5);
    const [first = 0, second = 0] = ids;
    const newest = ids.at(-1);
    expect(await look({ status: 'succeeded', limit: 1 })).toMatchObject({ rows: [{ id: newest }], goOnBefore: null });
    expect((await look({ status: 'succeeded' })).rows.map(({ id }) => id)).toEqual(ids.toReversed());
    expect((await look({ status: 'succeeded', after: first })).rows.at(-1)).toMatchObject({ id: second });
    expect(await look({ status: 'succeeded', after: newest })).toEqual({ rows: [], goOnBefore: null });
  });

  it('of deliveries is bounded alike', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const [quiet, busy] = [await seedEndpoint(on.store, workspaceId), await seedEndpoint(on.store, workspaceId)];
    const first = await deliver(on.store, quiet, {});
    for (let other = 0; other < stretches; other++) await deliver(on.store, busy, {});
    const look = (query: object) =>
      deliveriesPage(on.database.db, workspaceId, { endpointId: quiet.id, limit: 10, ...query }, 1);
    const short = await look({});
    expect(short).toEqual({ rows: [], goOnBefore: expect.any(Number) });
    expect(await look({ before: short.goOnBefore })).toMatchObject({ rows: [{ id: first }], goOnBefore: null });
  });

  it('of an empty log is empty', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const empty = { rows: [], goOnBefore: null };
    expect(await on.store.records.attempts(workspaceId, { ...page, status: 'succeeded' })).toEqual(empty);
    expect(await on.store.records.attempts(workspaceId, { ...page, since: 1, until: 2 })).toEqual(empty);
  });
});
