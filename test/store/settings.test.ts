import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { readRecorded } from '../../src/store/open.ts';
import { databaseUrl } from '../support/postgres.ts';
import { engines, useDatabase } from '../support/stores.ts';

describe.each(engines)('what a server goes by, on $name', (engine) => {
  const on = useDatabase(engine);
  beforeEach(async () => {
    await on.database.db.deleteFrom('meta').where('name', 'like', 'settings%').execute();
  });

  it('is what was recorded last, for whoever has the database open and for whoever is about to open it', async () => {
    const other = await on.database.open();
    expect([await other.settings.recorded(), await readRecorded(on.database.url)]).toEqual([null, null]);
    for (const text of ['{"A":"1"}', '{"Ä":null}']) {
      await on.store.settings.record(text, 'one');
      expect([await other.settings.recorded(), await readRecorded(on.database.url)]).toEqual([text, text]);
    }
  });

  it('is told to another server while the one that recorded it runs', async () => {
    const { settings } = on.store;
    expect(await settings.record('first', 'one')).toBeNull();
    expect(await settings.record('again', 'one')).toBeNull();
    expect(await settings.record('second', 'two')).toBe('again');
    await settings.release('one');
    expect(await settings.record('third', 'three')).toBe('second');
    await settings.release('three');
    expect(await settings.recorded()).toBe('third');
    expect(await settings.record('fourth', 'four')).toBeNull();
  });
});

describe('a database that is not made yet', () => {
  it('has nothing recorded on SQLite, and is not made by looking', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-settings-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'posthorn.db');
    expect(await readRecorded(`file:${path}`)).toBeNull();
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, '');
    expect(await readRecorded(`file:${path}`)).toBeNull();
  });

  it('has nothing recorded on PostgreSQL', async () => {
    // The server's own database, where nobody makes tables.
    expect(await readRecorded(inject('postgresUrl'))).toBeNull();
    await expect(readRecorded(databaseUrl(inject('postgresUrl'), 'no_such_database'))).rejects.toMatchObject({
      code: 'misconfigured',
    });
  });
});
