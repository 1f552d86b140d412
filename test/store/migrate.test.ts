import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Client } from 'pg';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Store } from '../../src/core/ports/ports.ts';
import { openStore } from '../../src/store/open.ts';
import { schemaVersion } from '../../src/store/tables.ts';
import { databaseUrl } from '../support/postgres.ts';
import { engines, testLimits, useDatabase } from '../support/stores.ts';
import { seedWorkspace } from './seed.ts';

const open = (url: string) => openStore(url, { healthLimits: testLimits });

describe.each(engines)('opening on $name', (engine) => {
  const on = useDatabase(engine);

  const setVersion = (version: number) =>
    on.database.db
      .updateTable('meta')
      .set({ value: Buffer.from(String(version)) })
      .where('name', '=', 'schema_version')
      .execute();
  afterEach(async () => {
    await setVersion(schemaVersion);
  });

  it('refuses a database that a newer program made, and says what to do', async () => {
    await setVersion(schemaVersion + 1);
    await expect(open(on.database.url)).rejects.toThrow(
      `The database has schema version ${schemaVersion + 1}, and this program knows ${schemaVersion}: start the newer posthorn`,
    );
  });

  it('opens what it made before', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const again = await on.database.open();
    expect(await again.keys.workspaces()).toMatchObject([{ id: workspaceId }]);
    await again.ping();
  });
});

describe('a new database', () => {
  const cleanups: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  async function openTogether(url: string): Promise<Store[]> {
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(url)));
    cleanups.push(async () => void (await Promise.all(stores.map((store) => store.close()))));
    return stores;
  }
  const onServer = (statement: string) => onDatabase(inject('postgresUrl'), statement);
  async function onDatabase(url: string, statement: string): Promise<void> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
  async function emptyDatabase(name: string): Promise<string> {
    await onServer(`create database ${name}`);
    cleanups.push(() => onServer(`drop database ${name} with (force)`));
    return databaseUrl(inject('postgresUrl'), name);
  }

  it('is made once when several processes start on one file, in folders that do not exist yet', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-migrate-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const stores = await openTogether(`file:${join(folder, 'a/b/posthorn.db')}`);
    expect(await stores[3]?.keys.workspaces()).toEqual([]);
  });

  it('is made once when several processes start on one PostgreSQL database', async () => {
    const stores = await openTogether(await emptyDatabase('fresh_together'));
    expect(await stores[3]?.keys.workspaces()).toEqual([]);
  });

  it('is not made among the tables of another program', async () => {
    const url = await emptyDatabase('fresh_foreign');
    await onDatabase(url, 'create table meta (name text, value bytea)');
    await expect(open(url)).rejects.toThrow('a table "meta" that is not Posthorn\'s');
    await onDatabase(url, 'alter table meta rename name to key');
    await expect(open(url)).rejects.toThrow('which holds the tables of another program (column "name" does not exist)');
    await onDatabase(url, 'drop table meta; create table events (id text)');
    await expect(open(url)).rejects.toThrow(
      'which holds the tables of another program (relation "events" already exists)',
    );
  });

  it.each([
    'create table events (id text)',
    'create table meta (key text)',
    'create table meta (name, value); create table x (y)',
  ])('is not made in the SQLite file of another program, which stays as it is: %s', async (statements) => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-migrate-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'theirs.db');
    const theirs = new SqliteDatabase(path);
    theirs.exec(statements);
    theirs.close();
    const before = readFileSync(path);
    await expect(open(`file:${path}`)).rejects.toThrow(
      `DATABASE_URL names ${path}, which holds the tables of another program: give Posthorn a file of its own, for example DATABASE_URL=file:${folder}/posthorn.db`,
    );
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['theirs.db']);
  });
});
