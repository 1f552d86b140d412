import type { Pool } from 'pg';
import { type RunTransaction, transaction } from '../../src/store/postgres/transaction.ts';
import { until } from '../support/until.ts';

/** Where a transaction stops until it is let on. */
export interface Gate {
  /** Resolves once the transaction stands there. */
  reached: Promise<void>;
  open(): void;
}

/**
 * Runs transactions that stop once, after the first statement whose text matches, or, without a pattern, right before the
 * commit. This is how two processes are interleaved by hand.
 */
export function gated(pool: Pool, after?: RegExp): { run: RunTransaction; gate: Gate } {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    reached.resolve();
    await opened.promise;
  };
  const run: RunTransaction = (work, options) =>
    transaction(
      pool,
      async (trx) => {
        const query = trx.query.bind(trx);
        trx.query = async <Row extends object>(text: string, values?: unknown[]) => {
          const rows = await query<Row>(text, values);
          if (after?.test(text) === true) await stop();
          return rows;
        };
        const value = await work(trx);
        if (after === undefined) await stop();
        return value;
      },
      { ...options, instance: 'gated' },
    );
  return { run, gate: { reached: reached.promise, open: () => opened.resolve() } };
}

/** Resolves once so many transactions of the database wait for another's lock. */
export async function untilWaiting(pool: Pool, count = 1): Promise<void> {
  await until(async () => {
    const { rows } = await pool.query<{ count: number }>(
      "select count(*) as count from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
    );
    return rows[0]?.count === count;
  });
}
