import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import pRetry from 'p-retry';
import type { Pool } from 'pg';
import type { Store } from '../../core/ports/ports.ts';
import type { HealthLimits } from '../../core/rules/health.ts';
import { answering } from '../answering.ts';
import { overviewStore } from '../manage/overview.ts';
import { recordedIn } from '../manage/settings.ts';
import { certainAttempt } from './certain-attempt.ts';
import { authored, type BareStore } from '../authored.ts';
import { journeyStore } from '../journey-store.ts';
import { storeError } from '../store-error.ts';
import type { Tables } from '../tables.ts';
import { openPool } from './connection.ts';
import { isConnectionLoss } from './connection-loss.ts';
import { TypeIds } from './journey/type-ids.ts';
import { kyselyOn, kyselyOver } from './kysely.ts';
import { makeLanes } from './lanes.ts';
import { migrate } from './migrate.ts';
import { OutsideChanges } from './outside-changes.ts';
import { startError } from './start-error.ts';
import { queryAgain } from './query-again.ts';
import { type RunTransaction, transaction } from './transaction.ts';

/**
 * Connections of one process: the two lanes of the journey, what goes past them, and its reading; and for everything that
 * people ask, apart from the first, so that no page of a log makes a delivery wait. One more listens.
 */
const journeyConnectionsMax = 5;
const manageConnectionsMax = 5;
/** A server that is being started beside us is waited for. */
const startTries = { retries: 5, minTimeout: 100, factor: 2 };
const undefinedTable = '42P01';

/**
 * The store on one PostgreSQL database, which many processes may share. Throws without the URL, whose password must not
 * reach a log.
 */
export async function openPostgres(url: string, limits: HealthLimits): Promise<Store> {
  const journeyPool = openPool(url, journeyConnectionsMax);
  const managePool = openPool(url, manageConnectionsMax);
  try {
    await pRetry(() => migrate(managePool), { ...startTries, shouldRetry: ({ error }) => isConnectionLoss(error) });
  } catch (error) {
    await Promise.all([journeyPool.end(), managePool.end()]);
    throw startError(url, error);
  }
  const instance = randomUUID();
  const outside = new OutsideChanges(url, instance);
  const run: RunTransaction = (work, options) => transaction(journeyPool, work, { ...options, instance });
  const lanes = makeLanes(run, new TypeIds(journeyPool), limits);
  const write = writerOn(managePool, instance);
  const bare: BareStore = {
    engine: 'postgres',
    overview: answering(overviewStore({ read: kyselyOver(managePool), write }, certainAttempt)),
    journey: answering(journeyStore({ read: kyselyOver(journeyPool), write }, lanes)),
    onOutsideChange: (listener) => outside.add(listener),
    async ping() {
      await queryAgain(journeyPool, 'select 1').catch((error: unknown) => {
        throw storeError(error);
      });
    },
    async close() {
      await lanes.idle();
      await Promise.all([outside.close(), journeyPool.end(), managePool.end()]);
    },
  };
  return authored(bare, { read: kyselyOver(managePool), write });
}

/** What the server of Posthorn recorded there; null when it recorded nothing, or the tables are not made yet. */
export async function recordedOnPostgres(url: string): Promise<string | null> {
  const pool = openPool(url, 1);
  try {
    return await pRetry(() => recordedIn(kyselyOver(pool)), {
      ...startTries,
      shouldRetry: ({ error }) => isConnectionLoss(error),
    });
  } catch (error) {
    if ((error as { code?: unknown }).code === undefinedTable) return null;
    throw startError(url, error);
  } finally {
    await pool.end();
  }
}

/** People's changes are few, and which of them make something due is not worth knowing: each wakes the others. */
function writerOn(pool: Pool, instance: string) {
  return <T>(work: (trx: Kysely<Tables>) => Promise<T>): Promise<T> =>
    transaction(
      pool,
      (trx) => {
        trx.wakesOthers = true;
        return work(kyselyOn(trx.client));
      },
      { instance },
    );
}
