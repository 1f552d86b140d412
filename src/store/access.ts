import type { Kysely } from 'kysely';
import type { AuditEntry } from '../core/ports/audit-store.ts';
import type { Tables } from './tables.ts';

/** How what people manage reaches the database. */
export interface Access {
  /** For reading: sees what is committed. */
  read: Kysely<Tables>;
  /** Runs `work` as one writing transaction; throws `store_unavailable` when the database does not take it. */
  write<T>(work: (trx: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Throws `store_unavailable` where the disk is nearly full, if the engine knows: for what takes much room and can wait. */
  room?(): Promise<void>;
}

/** The same for what people ask for. `write` is left to what nobody asked for, and to the follow-up of a change. */
export interface ChangeAccess extends Access {
  /** A change that somebody asks for: one writing transaction, with its row in the audit log. */
  change<T>(work: (trx: Kysely<Tables>) => Promise<Changed<T>>): Promise<T>;
}

export interface Changed<T> {
  answer: T;
  /** Null: nothing was changed. */
  audit: AuditEntry | null;
}
