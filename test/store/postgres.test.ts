import { inspect } from 'node:util';
import type { Pool, PoolClient } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { openPool } from '../../src/store/postgres/connection.ts';
import { lease } from '../../src/store/postgres/journey/lease.ts';
import { Unhanded } from '../../src/store/postgres/journey/unhanded.ts';
import { type RunTransaction, transaction, UnknownOutcome } from '../../src/store/postgres/transaction.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { postgresEngine, testLimits, useDatabase } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { newEndpoint, publish, publishTo, reread, seedEndpoint, seedWorker, seedWorkspace, t0 } from './seed.ts';

const lost = () => Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });

describe('transactions on PostgreSQL', () => {
  const on = useDatabase(postgresEngine);
  let pool: Pool;
  beforeEach(() => {
    pool = openPool(on.database.url, 4);
  });
  afterEach(() => pool.end());

  const options = { instance: 'test' };
  const addWorker = "insert into workers (name, beat_at, started_at) values ('w', 0, 0)";
  const workers = async () => (await on.store.journey.status(null, t0)).workers;
  /** Every connection of the pool meets `meet` when it is told to commit. */
  const atCommit = (meet: (client: PoolClient, commit: () => Promise<unknown>) => Promise<unknown>) => {
    let times = 0;
    pool.on('connect', (client) => {
      const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
      const intercept = (...args: unknown[]) =>
        String(args[0]).endsWith('commit') && times++ === 0 ? meet(client, () => query(...args)) : query(...args);
      Object.assign(client, { query: intercept });
    });
  };

  it('goes by the URL, and bounds what it waits for', async () => {
    const setting = async (name: string) =>
      (await pool.query<{ value: string }>('select current_setting($1) as value', [name])).rows[0]?.value;
    expect(await setting('application_name')).toBe('posthorn');
    expect(await setting('lock_timeout')).toBe('5s');
    expect(await setting('statement_timeout')).toBe('15s');
    expect(await setting('idle_in_transaction_session_timeout')).toBe('10s');
  });

  it('runs again after a deadlock', async () => {
    const [a, b] = [await seedWorker(on.store), await seedWorker(on.store)];
    const both = Promise.withResolvers<void>();
    let met = 0;
    const beat = 'update workers set beat_at = beat_at + 1 where id = $1';
    const cross = (first: number, then: number) =>
      transaction(
        pool,
        async (trx) => {
          await trx.query(beat, [first]);
          if (++met === 2) both.resolve();
          await both.promise;
          await trx.query(beat, [then]);
        },
        options,
      );
    await Promise.all([cross(a, b), cross(b, a)]);
    expect(met).toBe(3);
    const { rows } = await pool.query<{ beat_at: number }>('select beat_at from workers');
    expect(rows.map((row) => row.beat_at)).toEqual([t0 + 2, t0 + 2]);
  });

  it('runs again when the connection broke before the commit', async () => {
    let tries = 0;
    await transaction(
      pool,
      async (trx) => {
        await trx.query(addWorker);
        if (++tries === 1) {
          const [row] = await trx.query<{ pid: number }>('select pg_backend_pid() as pid');
          await pool.query('select pg_terminate_backend($1)', [row?.pid]);
          await trx.query('select 1');
        }
      },
      options,
    );
    expect(tries).toBe(2);
    expect(await workers()).toBe(1);
  });

  it('does not run again when the connection broke after the server had committed', async () => {
    atCommit(async (_client, commit) => {
      await commit();
      throw lost();
    });
    let tries = 0;
    const value = await transaction(
      pool,
      async (trx) => {
        await trx.query(addWorker);
        return ++tries;
      },
      options,
    );
    expect([value, tries, await workers()]).toEqual([1, 1, 1]);
  });

  it('asks what became of a commit although the lost connection was the only one', async () => {
    await pool.end();
    pool = openPool(on.database.url, 1);
    atCommit(async (_client, commit) => {
      await commit();
      throw lost();
    });
    await transaction(pool, (trx) => trx.query(addWorker), options);
    expect(await workers()).toBe(1);
  });

  it('runs again when the connection broke and the server had not committed', async () => {
    atCommit(async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      await on.database.db
        .selectNoFrom(({ fn, val }) => fn('pg_terminate_backend', [val(rows[0]?.pid)]).as('ended'))
        .execute();
      throw lost();
    });
    let tries = 0;
    await transaction(
      pool,
      async (trx) => {
        await trx.query(addWorker);
        tries++;
      },
      options,
    );
    expect([tries, await workers()]).toEqual([2, 1]);
  });

  it('does not run again what is wrong in itself', async () => {
    let tries = 0;
    const wrong = transaction(
      pool,
      async (trx) => {
        tries++;
        await trx.query('select * from no_such_table');
      },
      options,
    );
    await expect(wrong).rejects.toMatchObject({ code: '42P01' });
    expect(tries).toBe(1);
    expect(await transaction(pool, (trx) => trx.query('select 1 as one'), options)).toEqual([{ one: 1 }]);
  });

  it('gives back leases of which nobody knows whether they were taken', async () => {
    const endpoint = await seedEndpoint(on.store, await seedWorkspace(on.store));
    await publishTo(on.store, endpoint, 3);
    const workerId = await seedWorker(on.store);
    const run: RunTransaction = (work, more) => transaction(pool, work, { ...options, ...more });
    let unknown = true;
    const unsure: RunTransaction = async (work, more) => {
      const value = await run(work, more);
      if (unknown) throw new UnknownOutcome(lost());
      return value;
    };
    const unhanded = new Unhanded();
    const request = { workerId, shares: [{ endpointId: endpoint.id, count: 2 }], now: t0 };
    await expect(lease(unsure, unhanded, request)).rejects.toMatchObject({ code: 'store_unavailable' });
    unknown = false;
    const first = await lease(unsure, unhanded, request);
    const then = await lease(unsure, unhanded, request);
    expect(first.deliveries).toHaveLength(2);
    expect(then.deliveries).toHaveLength(1);
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 3 });
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });
});

describe('the store on PostgreSQL', () => {
  const on = useDatabase(postgresEngine);
  const open = (url: string) => openStore(url, { healthLimits: testLimits });

  it('goes on when the server ends its connections, and hears the others again', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    const other = await on.database.open();
    let calls = 0;
    other.onOutsideChange(() => void calls++);
    await until(() => calls > 0);
    await on.database.db
      .selectFrom('pg_stat_activity' as 'meta')
      .select(({ fn, ref }) => fn('pg_terminate_backend', [ref('pid' as 'name')]).as('ended'))
      .where('datname' as 'name', '=', new URL(on.database.url).pathname.slice(1))
      .where('pid' as 'name', '<>', ({ fn }) => fn('pg_backend_pid', []))
      .execute();
    const before = calls;
    await publishTo(on.store, endpoint);
    await other.ping();
    await until(() => calls > before);
    const again = calls;
    await publishTo(on.store, endpoint);
    await until(() => calls > again);
    expect(await reread(other, endpoint)).toMatchObject({ pendingCount: 2 });
  });

  it('refuses text that PostgreSQL cannot hold, and stores the other publishes of the moment', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const named = on.store.endpoints.insert(newEndpoint(workspaceId, { description: 'a\u0000b' }), 10);
    await expect(named).rejects.toMatchObject({ code: 'validation_failed' });
    const [bad, good] = await Promise.allSettled([
      publish(on.store, workspaceId, [{ publicId: 'bad', data: '"\u0000"' }]),
      publish(on.store, workspaceId, [{ publicId: 'good' }]),
    ]);
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'validation_failed' } });
    expect(good).toMatchObject({ status: 'fulfilled', value: { outcome: 'stored' } });
  });

  it.each([
    ['a server that is not there', 'postgres://someone:hunter2hunter2@127.0.0.1:1/posthorn'],
    ['a URL that is none', 'postgres://someone:hunter2hunter2@host:port/posthorn'],
    ['a URL of something else', 'mysql://someone:hunter2hunter2@127.0.0.1/posthorn'],
  ])('says nothing of the password about %s', async (_what, url) => {
    const error: unknown = await open(url).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(Error);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });

  it('answers store_unavailable for a server that is not there', async () => {
    await expect(open('postgres://someone@127.0.0.1:1/posthorn')).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('which does not answer (ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:1)'),
    });
  });

  it('says which database is missing', async () => {
    const url = new URL(on.database.url);
    url.pathname = 'no_such_database';
    await expect(open(url.href)).rejects.toThrow(
      `DATABASE_URL names PostgreSQL at ${url.host}/no_such_database. PostgreSQL says: database "no_such_database" does not exist. Correct it: `,
    );
  });
});
