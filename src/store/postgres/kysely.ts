import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import type { Tables } from '../tables.ts';
import { queryAgain } from './query-again.ts';

type Query = (text: string, values: unknown[]) => Promise<unknown>;

/**
 * Kysely over the pool, for reading: each statement by itself, on any connection, and again when that breaks. It must
 * never be asked for a transaction.
 */
export function kyselyOver(pool: Pool): Kysely<Tables> {
  return kyselyWith((text, values) => queryAgain(pool, text, values));
}

/** Kysely on the one connection that has a transaction open. */
export function kyselyOn(client: PoolClient): Kysely<Tables> {
  return kyselyWith((text, values) => client.query(text, values));
}

/** Kysely takes for a pool whatever lends it something to query: connections are not its business here. */
function kyselyWith(query: Query): Kysely<Tables> {
  const lent = { query, release: () => undefined };
  const pool = { options: {}, connect: async () => lent, end: async () => undefined };
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: pool as unknown as PostgresPool }) });
}
