import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openWriter } from '../../src/store/sqlite/connection.ts';
import { makeRoom } from '../../src/store/sqlite/room.ts';

const mib = 1024 * 1024;

describe('room on the disk of a SQLite file', () => {
  let folder: string;
  let db: Database;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-room-'));
    db = openWriter(join(folder, 'posthorn.db'));
  });
  afterEach(() => {
    db.close();
    rmSync(folder, { recursive: true });
  });

  const isRoom = (freeBytes: number, bytes = 1_000 * mib) => makeRoom(db, () => ({ freeBytes, bytes }))();
  /** As publishing leaves the file, and after it pruning. */
  function fillAndEmpty(bytes: number): void {
    db.exec('create table filler (data blob)');
    db.prepare('insert into filler values (zeroblob(?))').run(bytes);
    db.exec('drop table filler');
  }

  it('ends at 64 MiB, or a tenth of a small disk', () => {
    expect([isRoom(64 * mib), isRoom(64 * mib - 1)]).toEqual([true, false]);
    expect([isRoom(10 * mib, 100 * mib), isRoom(10 * mib - 1, 100 * mib)]).toEqual([true, false]);
  });

  it('is there again when pruning has freed so much inside the file', () => {
    fillAndEmpty(60 * mib);
    expect(isRoom(63 * mib)).toBe(false);
    fillAndEmpty(65 * mib);
    expect(isRoom(63 * mib)).toBe(true);
  });

  it('is not there, however much the file has free, where the log beside it could not grow', () => {
    fillAndEmpty(65 * mib);
    db.pragma('wal_checkpoint(truncate)');
    expect([isRoom(20 * mib), isRoom(20 * mib - 1)]).toEqual([true, false]);
    fillAndEmpty(30 * mib);
    // The log keeps its size: it need not grow.
    expect(isRoom(0)).toBe(true);
  });
});
