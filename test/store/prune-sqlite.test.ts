import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { PrunePosition } from '../../src/core/ports/prune-position.ts';
import { sqlitePath } from '../../src/store/open.ts';
import { sqliteEngine, useDatabase } from '../support/stores.ts';
import { lease, publishTo, reread, second, seedEndpoint, seedWorker, seedWorkspace, settlement, t0 } from './seed.ts';

const tables = ['attempts', 'deliveries', 'events'] as const;

describe('pruning one SQLite file', () => {
  const on = useDatabase(sqliteEngine);

  /** Past every store: rows that were delivered long ago. */
  async function seedOld(rows: number, payloadBytes: number): Promise<void> {
    const workspaceId = await seedWorkspace(on.store);
    const { id } = await seedEndpoint(on.store, workspaceId);
    const db = new SqliteDatabase(sqlitePath(on.database.url));
    db.exec(`begin immediate;
      insert or ignore into type_names (id, name) values (1, 'contact.created');
      insert into events (id, workspace_id, public_id, type_id, data, occurred_at, created_at, deliveries_count, is_test)
        with recursive n (i) as (select 1 union all select i + 1 from n where i < ${rows})
        select i, ${workspaceId}, 'e' || i, 1, '"' || hex(zeroblob(${payloadBytes / 2})) || '"', i, i, 1, 0 from n;
      insert into deliveries (workspace_id, event_id, endpoint_id, state, due_at, attempts, steps, interruptions, created_at)
        select workspace_id, id, ${id}, 3, id, 1, 1, 0, id from events;
      insert into attempts (workspace_id, endpoint_id, delivery_id, type_id, attempt, endpoint_version, error, response_code,
          duration_ms, started_at, is_test)
        select workspace_id, ${id}, id, 1, 1, 1, case id % 10 when 0 then 5 end, 200, 5, id, 0 from deliveries;
      commit`);
    db.close();
  }
  const pages = (): number => {
    const db = new SqliteDatabase(sqlitePath(on.database.url), { readonly: true });
    const count = db.pragma('page_count', { simple: true }) as number;
    db.close();
    return count;
  };
  async function pruneAll(before: number): Promise<number> {
    let steps = 0;
    for (let at: PrunePosition | null = { table: 'attempts', after: 0 }; at !== null; steps++)
      at = await on.store.journey.prune(at, before);
    return steps;
  }

  it('holds the writer for at most 50 ms a step, however many rows there are', async () => {
    await seedOld(200_000, 200);
    for (const table of tables) {
      const times: number[] = [];
      for (let at: PrunePosition | null = { table, after: 0 }; at?.table === table && times.length < 40; ) {
        const began = performance.now();
        at = await on.store.journey.prune(at, t0);
        times.push(Math.round(performance.now() - began));
      }
      expect(times).toHaveLength(40);
      // Of ten steps one may have met a checkpoint, or other tests that take the cores.
      const ninth = times.toSorted((a, b) => a - b)[35];
      expect({ table, ninth, isShort: (ninth ?? Infinity) < 50 }).toMatchObject({ isShort: true });
    }
  }, 60_000);

  it('takes fewer events at a step where their payloads are large', async () => {
    await seedOld(120, 250_000);
    expect(await pruneAll(t0)).toBeGreaterThanOrEqual(8);
    expect(await on.database.db.selectFrom('events').select('id').execute()).toEqual([]);
  });

  it('keeps the file from growing under a steady load', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    const workerId = await seedWorker(on.store);
    // Free pages that other tests left would hide what this one takes.
    await sql`vacuum`.execute(on.database.db);
    const sizes: number[] = [];
    for (let round = 0; round < 30; round++) {
      const now = t0 + round * 60 * second;
      await publishTo(on.store, endpoint, 100, now);
      const { deliveries } = await lease(on.store, workerId, [endpoint], now);
      const excerpt = Buffer.alloc(500);
      await on.store.journey.settle(
        workerId,
        deliveries.map((one) => settlement(one, { at: now, excerpt })),
      );
      await pruneAll(now - 5 * 60 * second);
      sizes.push(pages());
    }
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 0 });
    expect(sizes[5]).toBeGreaterThan(sizes[0] ?? 0);
    expect(Math.max(...sizes.slice(15))).toBeLessThanOrEqual(Math.max(...sizes.slice(0, 15)) * 1.05);
  });
});
