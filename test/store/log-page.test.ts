import { describe, expect, it } from 'vitest';
import { engines, useDatabase } from '../support/stores.ts';
import { deliver, seedEndpoint, seedWorkspace } from './seed.ts';

const page = { limit: 10, withExcerpt: false };

describe.each(engines)('a page of a long log on $name', (engine) => {
  const on = useDatabase(engine);

  /** A log of three million ids, of which only the first and the last are still there, each of another type. */
  async function longLog() {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    await deliver(on.store, endpoint, { eventType: 'rare.type' });
    await deliver(on.store, endpoint, { eventType: 'contact.created' });
    const rows = await on.database.db.selectFrom('attempts').select('id').orderBy('id').execute();
    const [first = 0, last = 0] = rows.map(({ id }) => id);
    await on.database.db
      .updateTable('attempts')
      .set({ id: first + 3_000_000 })
      .where('id', '=', last)
      .execute();
    return { workspaceId, endpoint, first, last: first + 3_000_000 };
  }

  it('looks at two million rows and no more, and its cursor goes on from there', async () => {
    const { workspaceId, endpoint, first } = await longLog();
    for (const query of [{ eventType: 'rare.type' }, { eventType: 'rare.type', endpointId: endpoint.id }]) {
      const short = await on.store.records.log(workspaceId, { ...query, ...page });
      expect(short).toEqual({ rows: [], goOnBefore: first + 1_000_001 });
      const before = short.goOnBefore ?? 0;
      const next = await on.store.records.log(workspaceId, { ...query, ...page, before });
      expect(next).toMatchObject({ rows: [{ id: first, eventType: 'rare.type' }], goOnBefore: null });
    }
  });

  it('ends where the log ends, and where a page is full', async () => {
    const { workspaceId, first, last } = await longLog();
    const log = (query: object) => on.store.records.log(workspaceId, { ...page, ...query });
    expect(await log({ limit: 1 })).toMatchObject({ rows: [{ id: last }], goOnBefore: null });
    expect(await log({ status: 'succeeded', before: first + 10 })).toMatchObject({
      rows: [{ id: first }],
      goOnBefore: null,
    });
    expect(await log({ after: first, eventType: 'rare.type' })).toMatchObject({
      rows: [],
      goOnBefore: first + 1_000_001,
    });
    expect(await log({ after: last - 1, eventType: 'rare.type' })).toEqual({ rows: [], goOnBefore: null });
    expect(await log({ status: 'failed' })).toEqual({ rows: [], goOnBefore: null });
  });

  it('of an empty log is empty', async () => {
    const workspaceId = await seedWorkspace(on.store);
    expect(await on.store.records.log(workspaceId, { ...page, eventType: 'rare.type' })).toEqual({
      rows: [],
      goOnBefore: null,
    });
  });
});
