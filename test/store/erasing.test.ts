import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PrunePosition } from '../../src/core/ports/prune-position.ts';
import { overwriting } from '../../src/store/erasing.ts';
import { sqlitePath } from '../../src/store/open.ts';
import { openReader, openWriter } from '../../src/store/sqlite/connection.ts';
import { makeReply } from '../../src/store/sqlite/reply.ts';
import { sqliteStore } from '../../src/store/sqlite/store.ts';
import { storeError } from '../../src/store/store-error.ts';
import { sqliteEngine, testLimits, useDatabase } from '../support/stores.ts';
import { publish, seedEndpoint, seedWorkspace, t0 } from './seed.ts';

const secret = 'a-payload-that-must-go';
const events = 200;

describe('erasing a payload on SQLite', () => {
  const on = useDatabase(sqliteEngine);

  /** How often the words stand in the file and in its log. */
  function found(): { file: number; log: number } {
    const path = sqlitePath(on.database.url);
    const count = (file: string) => (existsSync(file) ? readFileSync(file, 'latin1').split(secret).length - 1 : 0);
    return { file: count(path), log: count(`${path}-wal`) };
  }
  const prune = async () => {
    for (let at: PrunePosition | null = { table: 'attempts', after: 0 }; at !== null; )
      at = await on.store.journey.prune(at, 0);
  };

  it('leaves its bytes neither in the file nor, once the log was cut, there', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    // From a few bytes to several pages, between others that stay.
    for (let n = 0; n < events; n++)
      await publish(on.store, workspaceId, [
        {
          publicId: `gone-${n}`,
          endpointIds: [endpoint.id],
          data: JSON.stringify(secret.repeat(1 + (n % 7) * 30 * (n % 3))),
        },
        { publicId: `stays-${n}`, data: JSON.stringify('x'.repeat(n * 10)) },
      ]);
    await prune();
    expect(found().log).toBeGreaterThan(events);
    for (let n = 0; n < events; n++) await on.store.deliveries.erase(workspaceId, `gone-${n}`, t0);
    await prune();
    expect(found()).toEqual({ file: 0, log: 0 });
    expect(await on.database.db.selectFrom('meta').select('name').execute()).not.toContainEqual({
      name: 'log_holds_erased',
    });
  });

  it('overwrites no longer than it erases, also where it fails', async () => {
    const { db } = on.database;
    const failing = db
      .transaction()
      .execute((trx) => overwriting(trx, () => Promise.reject(new Error('disk I/O error'))));
    await expect(failing).rejects.toThrow('disk I/O error');
    const { rows } = await sql`pragma secure_delete`.execute(db);
    expect(rows).toEqual([{ secure_delete: 2 }]);
  });

  it('leaves the log alone while somebody reads, and cuts it the next time', async () => {
    const workspaceId = await seedWorkspace(on.store);
    await publish(on.store, workspaceId, [{ publicId: 'gone', data: JSON.stringify(secret) }]);
    await on.store.deliveries.erase(workspaceId, 'gone', t0);
    await on.database.db.transaction().execute(async (trx) => {
      await trx.selectFrom('events').selectAll().execute();
      const began = performance.now();
      await prune();
      expect(performance.now() - began).toBeLessThan(1_000);
      expect(found().log).toBeGreaterThan(0);
    });
    await prune();
    expect(found()).toEqual({ file: 0, log: 0 });
  });
});

describe('erasing an event that is owed to many', () => {
  let folder: string;
  let writer: Database;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-erasing-'));
    writer = openWriter(join(folder, 'posthorn.db'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('crosses to the writer a few times, and counts all that it cancels', async () => {
    const reply = makeReply(writer, testLimits);
    let requests = 0;
    const store = sqliteStore(openReader(writer.name), {
      async request(request) {
        requests++;
        const answer = reply(request);
        if (answer.kind === 'failed') throw storeError(answer.error);
        return answer;
      },
      close: async () => void writer.close(),
    });
    const workspaceId = await seedWorkspace(store);
    await seedEndpoint(store, workspaceId);
    const copied = 'workspace_id, kind, url, events, filter_error_count, include_data, version, status, failure_count';
    writer.exec(`insert into endpoints (public_id, ${copied}, pending_count, created_at, updated_at)
      with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 2500)
      select 'wide_' || n, ${copied}, 0, created_at, updated_at from endpoints, numbers`);
    const ids = writer.prepare<[], number>('select id from endpoints').pluck().all();
    expect(await publish(store, workspaceId, [{ publicId: 'wide', endpointIds: ids }])).toMatchObject({
      outcome: 'stored',
    });
    const owed = writer.prepare('select sum(pending_count), min(pending_count) from endpoints').raw();
    expect(owed.get()).toEqual([ids.length, 1]);
    requests = 0;
    await store.deliveries.erase(workspaceId, 'wide', t0);
    expect(requests).toBeLessThan(15);
    expect(owed.get()).toEqual([0, 0]);
    await store.close();
  });
});
