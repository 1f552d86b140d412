import { Kysely, PostgresDialect } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import type { Tables } from '../tables.ts';

/** Kysely over the pool, for reading. */
export function kyselyOver(pool: Pool): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** Kysely on the one connection that has a transaction open. */
export function kyselyOn(client: PoolClient): Kysely<Tables> {
  const held = { query: client.query.bind(client), release: () => undefined };
  const pool = { options: {}, connect: async () => held, end: async () => undefined };
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: pool as unknown as Pool }) });
}
