import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JourneyOp } from '../../src/store/journey-op.ts';
import { openReader, openWriter } from '../../src/store/sqlite/connection.ts';
import { makeRunGroup } from '../../src/store/sqlite/journey/run-group.ts';
import { WriterThread } from '../../src/store/sqlite/writer-thread.ts';
import { sqliteStore } from '../../src/store/sqlite/store.ts';
import { storeError } from '../../src/store/store-error.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { sqliteEngine, testLimits, useDatabase } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { newEndpoint, newEvent, publish, publishTo, reread, seedEndpoint, seedWorkspace, t0 } from './seed.ts';

const unavailable = { code: 'store_unavailable', status: 503, retryAfterSeconds: 1 };
const pathOf = (url: string) => url.slice('file:'.length);

describe('one SQLite file', () => {
  const on = useDatabase(sqliteEngine);

  it('is written by several processes at once', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    const events = 60;
    const publishers: ChildProcess[] = ['a', 'b'].map((name) =>
      fork(join(import.meta.dirname, 'publisher.ts'), [
        on.database.url,
        String(workspaceId),
        String(endpoint.id),
        name,
        String(events),
      ]),
    );
    await Promise.all([
      ...publishers.map(async (child) => expect(await once(child, 'exit')).toEqual([0, null])),
      ...Array.from({ length: 20 }, () => publishTo(on.store, endpoint)),
    ]);
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 2 * events + 20 });
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  it('answers store_unavailable while another process holds it, to all who wait, and stores nothing', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const other = await on.database.open();
    const { version } = await on.store.journey.matchable(workspaceId);
    const holder = new SqliteDatabase(pathOf(on.database.url));
    holder.exec('begin immediate');
    const began = performance.now();
    const refused = await Promise.allSettled([
      ...['one', 'two', 'three'].map((publicId) =>
        on.store.journey.accept({ workspaceId, matchableVersion: version, events: [newEvent({ publicId })], now: t0 }),
      ),
      other.endpoints.insert(newEndpoint(workspaceId), 10),
    ]);
    // Once for the group as a whole, and not for each of it.
    expect(performance.now() - began).toBeLessThan(9_000);
    holder.exec('rollback');
    holder.close();
    for (const one of refused) expect(one).toMatchObject({ status: 'rejected', reason: unavailable });
    expect(await on.store.records.events(workspaceId, { limit: 10 })).toEqual([]);
    expect(await publish(on.store, workspaceId, [{ publicId: 'one' }])).toMatchObject({ outcome: 'stored' });
  });
});

describe('a file that cannot be read for a while', () => {
  it('ends no process: what others committed is noticed once it can', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-unreadable-'));
    const path = join(folder, 'posthorn.db');
    const writer = openWriter(path);
    const reader = openReader(path);
    let failures = 3;
    const { prepare } = reader;
    const failing = (text: string) => {
      const statement = prepare.call(reader, text);
      if (!text.includes('data_version')) return statement;
      const get = () => {
        if (isListening && failures-- > 0) throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' });
        return statement.pluck().get();
      };
      return { pluck: () => ({ get }) };
    };
    let isListening = false;
    const store = sqliteStore(Object.assign(reader, { prepare: failing }), {
      request: () => Promise.reject(new Error('nothing is written')),
      close: async () => {},
    });
    let calls = 0;
    store.onOutsideChange(() => void calls++);
    isListening = true;
    writer.exec("insert into meta (name, value) values ('other', x'00')");
    await until(() => calls > 0);
    expect(failures).toBeLessThanOrEqual(0);
    await store.close();
    writer.close();
    rmSync(folder, { recursive: true });
  });
});

describe('a full disk', () => {
  let folder: string;
  let db: SqliteDatabase.Database;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-full-'));
    db = openWriter(join(folder, 'posthorn.db'));
    db.prepare(
      "insert into workspaces (id, public_id, name, version, audit_count, audit_hash, created_at) values (1, 'wsp_1', 'default', 1, 0, zeroblob(32), 0)",
    ).run();
  });
  afterEach(() => {
    db.close();
    rmSync(folder, { recursive: true });
  });

  const accept = (publicId: string, bytes: number): JourneyOp => ({
    kind: 'accept',
    batch: {
      workspaceId: 1,
      matchableVersion: 1,
      events: [newEvent({ publicId, data: JSON.stringify('x'.repeat(bytes)) })],
      now: t0,
    },
  });
  const stored = () => db.prepare('select public_id from events order by id').pluck().all();

  it('refuses what does not fit, and loses nothing of what it took', () => {
    const runGroup = makeRunGroup(db, testLimits);
    expect(runGroup([accept('before', 100)])).toMatchObject([{ ok: true }]);
    db.pragma(`max_page_count = ${(db.pragma('page_count', { simple: true }) as number) + 4}`);
    const outcomes = runGroup([accept('small', 100), accept('huge', 1_000_000), accept('other', 100)]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true]);
    const failed = outcomes[1];
    expect(failed?.ok === false ? storeError(failed.error) : null).toMatchObject(unavailable);
    expect(stored()).toEqual(['before', 'small', 'other']);
    db.pragma('max_page_count = 1000000');
    expect(runGroup([accept('huge', 1_000_000)])).toMatchObject([{ ok: true }]);
    expect(stored()).toEqual(['before', 'small', 'other', 'huge']);
  });

  it('forgets the names of event types that it could not store', () => {
    const runGroup = makeRunGroup(db, testLimits);
    const first = accept('first', 1_000_000);
    const limit = (db.pragma('page_count', { simple: true }) as number) + 4;
    db.pragma(`max_page_count = ${limit}`);
    expect(runGroup([first])).toMatchObject([{ ok: false }]);
    db.pragma('max_page_count = 1000000');
    const named = (publicId: string, type: string): JourneyOp => ({
      kind: 'accept',
      batch: { workspaceId: 1, matchableVersion: 1, events: [newEvent({ publicId, type })], now: t0 },
    });
    runGroup([named('other', 'other.type')]);
    runGroup([named('again', 'contact.created')]);
    const types = db
      .prepare('select e.public_id, t.name from events e join type_names t on t.id = e.type_id order by e.id')
      .raw()
      .all();
    expect(types).toEqual([
      ['other', 'other.type'],
      ['again', 'contact.created'],
    ]);
  });
});

describe('the writing connection', () => {
  const on = useDatabase(sqliteEngine);

  /** The files that this process holds open, as Linux tells. */
  const openFiles = () =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        // The folder itself, which is closed again.
        return [];
      }
    });

  it.runIf(process.platform === 'linux')('lets payloads pass through no files but its own', () => {
    const db = openWriter(pathOf(on.database.url));
    db.exec('create table payloads (id integer primary key, state integer not null, data text not null)');
    db.exec(
      `with recursive n (id) as (select 1 union all select id + 1 from n where id < 4000)
       insert into payloads select id, 1, hex(randomblob(500)) from n`,
    );
    const before = openFiles();
    db.exec('begin immediate');
    // SQLite keeps each page as it was, in case that a constraint fails in the middle.
    expect(db.prepare('update payloads set state = 2 where id in (select id from payloads)').run().changes).toBe(4_000);
    expect(openFiles()).toEqual(before);
    db.exec('rollback');
    db.close();
  });
});

describe('a writer whose thread dies', () => {
  const on = useDatabase(sqliteEngine);

  /** The thread answers this, and then trips over it. */
  const kill = (thread: WriterThread) => thread.request(null as never).catch(() => {});

  it('is told of once, and takes nothing more: what it was asked is unavailable, and no fault of the request', async () => {
    const deaths: string[] = [];
    const thread = await WriterThread.start(pathOf(on.database.url), testLimits, ({ message }) => deaths.push(message));
    await kill(thread);
    const asked = [{ kind: 'begin' }, { kind: 'commit' }] as const;
    for (const each of asked) await expect(thread.request(each)).rejects.toMatchObject(unavailable);
    expect(deaths).toEqual([expect.stringContaining('the thread that writes to the database has died: ')]);
    await thread.close();
  });

  it('is not told of one that was closed', async () => {
    const deaths: string[] = [];
    const thread = await WriterThread.start(pathOf(on.database.url), testLimits, ({ message }) => deaths.push(message));
    await thread.close();
    await expect(thread.request({ kind: 'begin' })).rejects.toMatchObject(unavailable);
    expect(deaths).toEqual([]);
  });
});
