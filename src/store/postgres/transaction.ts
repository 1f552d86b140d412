import pRetry from 'p-retry';
import type { Pool, PoolClient, QueryResult } from 'pg';
import { PosthornError } from '../../core/errors.ts';
import { isCollision, isConnectionLoss } from './connection-loss.ts';

/** Retries of a transaction that certainly did not happen; they end well before a caller gives up. */
const retries = { retries: 4, minTimeout: 25, factor: 2, randomize: true, maxRetryTime: 5_000 };
/** How often, after a lost commit, the server is asked what became of it. */
const outcomeTries = { retries: 6, minTimeout: 50, factor: 2, randomize: true, maxRetryTime: 5_000 };

export interface TransactionOptions {
  /** What this process calls itself when it wakes the others. */
  instance: string;
  /** False: the answer does not wait for the disk. Only for what a crashed server may forget without harm. */
  durable?: boolean;
}

/** Runs its argument as one transaction on the journey's connections. */
export type RunTransaction = <T>(work: (trx: Transaction) => Promise<T>, options?: { durable?: boolean }) => Promise<T>;

/** One transaction under way. */
export class Transaction {
  readonly client: PoolClient;
  /** Set by whatever makes deliveries due: other processes are told with the commit, and not before. */
  wakesOthers = false;

  constructor(client: PoolClient) {
    this.client = client;
  }

  async query<Row extends object = object>(text: string, values: unknown[] = []): Promise<Row[]> {
    const { rows } = (await this.client.query(text, values)) as QueryResult<Row>;
    return rows;
  }
}

/** The connection broke as the transaction was committed, and the server could not be asked what became of it. */
export class UnknownOutcome extends PosthornError {
  constructor(cause: unknown) {
    super('store_unavailable', 'The database went away while it stored this: whether it did is not known.', {
      retryAfterSeconds: 1,
      cause,
    });
    this.name = 'UnknownOutcome';
  }
}

/**
 * Runs `work` as one transaction, and again when it certainly did not happen: after a deadlock, or a connection lost
 * before the commit. `work` must therefore start afresh each time. A connection lost during the commit is the hard case:
 * running it again could do it twice, giving up could deny what was done. The server knows, and is asked by the
 * transaction's id.
 */
export async function transaction<T>(
  pool: Pool,
  work: (trx: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  return pRetry(() => attempt(pool, work, options), {
    ...retries,
    shouldRetry: ({ error }) => isCollision(error) || isConnectionLoss(error),
  });
}

async function attempt<T>(pool: Pool, work: (trx: Transaction) => Promise<T>, options: TransactionOptions): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  let held = true;
  try {
    const id = await begin(client, options);
    const trx = new Transaction(client);
    const value = await work(trx);
    try {
      await commit(trx, options);
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      // Before the pool is asked for another one: as many lost ones as it has would wait for each other.
      client.release(true);
      held = false;
      if (!(await wasCommitted(pool, id, error))) throw error;
    }
    return value;
  } catch (error) {
    if (held) broken = !(await rolledBack(client, error));
    throw error;
  } finally {
    if (held) client.release(broken);
  }
}

/** Answers the transaction's id. The level is named, because a database may have another as its default. */
async function begin(client: PoolClient, { durable }: TransactionOptions): Promise<string> {
  const lazily = durable === false ? 'set local synchronous_commit = off;' : '';
  const text = `begin isolation level read committed; ${lazily} select pg_current_xact_id()::text as id`;
  // pg answers several statements with several results, which its types do not know.
  const results = (await client.query(text)) as unknown as QueryResult<{ id: string }>[];
  return results.at(-1)?.rows[0]?.id ?? '';
}

async function commit(trx: Transaction, { instance }: TransactionOptions): Promise<void> {
  await trx.client.query(trx.wakesOthers ? `notify ${dueChannel}, '${instance}'; commit` : 'commit');
}

/** Where processes tell each other that deliveries became due. The payload says who tells. */
export const dueChannel = 'posthorn_due';

/** Whether the connection can be used again. */
async function rolledBack(client: PoolClient, error: unknown): Promise<boolean> {
  if (isConnectionLoss(error)) return false;
  try {
    await client.query('rollback');
    return true;
  } catch {
    return false;
  }
}

/**
 * What became of the transaction. Danger: a standby that was promoted without having received the last commits answers
 * for its own history. Whoever fails over without synchronous replication has accepted to lose them.
 */
async function wasCommitted(pool: Pool, id: string, cause: unknown): Promise<boolean> {
  try {
    return await pRetry(async () => {
      const { rows } = await pool.query<{ status: string | null }>('select pg_xact_status($1::xid8) as status', [id]);
      const status = rows[0]?.status;
      // Its session has not noticed yet that nobody listens: it ends one way or the other within moments.
      if (status === 'in progress') throw new Error('the transaction is still in progress');
      if (status !== 'committed' && status !== 'aborted') throw new Error('the server no longer knows');
      return status === 'committed';
    }, outcomeTries);
  } catch {
    throw new UnknownOutcome(cause);
  }
}
