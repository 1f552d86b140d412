import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest';
import type { Store } from '../../src/core/ports/ports.ts';
import type { HealthLimits } from '../../src/core/rules/health.ts';
import { openStore } from '../../src/store/open.ts';
import { openPool } from '../../src/store/postgres/connection.ts';
import type { Tables } from '../../src/store/tables.ts';
import { databaseUrl, templateDatabase } from './postgres.ts';

/** A database of its own, with the stores that were opened on it. */
export interface TestDatabase {
  /** For `DATABASE_URL`. */
  url: string;
  /** Past every store: to look at the rows, and to change them as no store would. */
  db: Kysely<Tables>;
  /** As one more process would. */
  open(limits?: HealthLimits): Promise<Store>;
  /** Closes every store but this one. */
  closeOthers(store: Store): Promise<void>;
  close(): Promise<void>;
}

export interface Engine {
  name: Store['engine'];
  create(): Promise<TestDatabase>;
}

/** Health limits that a test reaches in a few steps. */
export const testLimits: HealthLimits = { disableAfterFailures: 3, disableAfterMs: 1_000 };

const sqlite: Engine = {
  name: 'sqlite',
  async create() {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-store-'));
    const path = join(folder, 'posthorn.db');
    const database = opened(`file:${path}`);
    // On its first use, and not before: the file is made by the first store.
    const dialect = new SqliteDialect({ database: async () => new SqliteDatabase(path) });
    const db = new Kysely<Tables>({ dialect });
    return {
      ...database,
      closeOthers: (store) => database.close([store]),
      db,
      async close() {
        await database.close();
        await db.destroy();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

const postgres: Engine = {
  name: 'postgres',
  async create() {
    const server = inject('postgresUrl');
    const name = `test_${crypto.randomUUID().replaceAll('-', '')}`;
    await onServer(server, `create database ${name} template ${templateDatabase}`);
    const database = opened(databaseUrl(server, name));
    const pool = openPool(database.url, 2);
    return {
      ...database,
      closeOthers: (store) => database.close([store]),
      db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }),
      async close() {
        await database.close();
        await pool.end();
        await onServer(server, `drop database ${name} with (force)`);
      },
    };
  },
};

/** What every contract of the store is held against. */
export const engines: Engine[] = [sqlite, postgres];
export { postgres as postgresEngine, sqlite as sqliteEngine };

interface Opened extends Pick<TestDatabase, 'url' | 'open'> {
  close(keep?: Store[]): Promise<void>;
}

function opened(url: string): Opened {
  const stores: Store[] = [];
  return {
    url,
    async open(limits = testLimits) {
      const store = await openStore(url, { healthLimits: limits });
      stores.push(store);
      return store;
    },
    async close(keep = []) {
      const ending = stores.filter((store) => !keep.includes(store));
      for (const store of ending) stores.splice(stores.indexOf(store), 1);
      await Promise.all(ending.map((store) => store.close()));
    },
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Children before their parents. `type_names` stays, because stores remember it; so does `meta`. */
const emptied = [
  'statistics',
  'statistics_position',
  'attempt_excerpts',
  'attempts',
  'deliveries',
  'events',
  'idempotency_keys',
  'automation_actions',
  'automations',
  'endpoint_secrets',
  'endpoint_urls',
  'endpoints',
  'event_types',
  'keys',
  'workers',
  'audit',
  'workspaces',
] as const satisfies (keyof Tables)[];

/**
 * A database for the suite, empty before every test, with one store open on it for all of them: to start one costs a
 * hundred times what a test does. What a test opens besides is closed after it.
 */
export function useDatabase(engine: Engine): { readonly database: TestDatabase; readonly store: Store } {
  let current: { database: TestDatabase; store: Store } | null = null;
  const held = () => {
    if (current === null) throw new Error('the database is open only while the suite runs');
    return current;
  };
  beforeAll(async () => {
    const database = await engine.create();
    current = { database, store: await database.open() };
  });
  beforeEach(async () => {
    await held()
      .database.db.transaction()
      .execute(async (trx) => {
        for (const table of emptied) await trx.deleteFrom(table).execute();
      });
  });
  afterEach(async () => {
    await current?.database.closeOthers(current.store);
  });
  afterAll(async () => {
    await current?.database.close();
    current = null;
  });
  return {
    get database() {
      return held().database;
    },
    get store() {
      return held().store;
    },
  };
}
