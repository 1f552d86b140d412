import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** How what people manage reaches the database. */
export interface Access {
  /** For reading: sees what is committed. */
  read: Kysely<Tables>;
  /** Runs `work` as one writing transaction; throws `store_unavailable` when the database does not take it. */
  write<T>(work: (trx: Kysely<Tables>) => Promise<T>): Promise<T>;
}
