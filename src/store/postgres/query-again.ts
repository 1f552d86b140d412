import pRetry from 'p-retry';
import type { Pool, QueryResult, QueryResultRow } from 'pg';
import { isConnectionLoss } from './connection-loss.ts';

/** A restarted server has closed every connection that the pool still holds for open: the next one is a new one. */
const tries = { retries: 3, minTimeout: 20, factor: 2, randomize: true };

/** One statement that may run twice without harm, and does when the connection breaks. */
export function queryAgain<Row extends QueryResultRow>(
  pool: Pool,
  text: string,
  values: unknown[] = [],
): Promise<QueryResult<Row>> {
  return pRetry(() => pool.query<Row>(text, values), { ...tries, shouldRetry: ({ error }) => isConnectionLoss(error) });
}
