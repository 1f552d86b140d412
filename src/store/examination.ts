import type { Kysely } from 'kysely';
import type { DispatcherStatus } from '../core/ports/journey-store.ts';
import type { Store } from '../core/ports/ports.ts';
import { journeyStore } from './journey-store.ts';
import { schemaVersion, type Tables } from './tables.ts';

/** A database as it is found, by connections that change nothing: neither file nor tables are made, nothing is migrated. */
export interface Examination {
  engine: Store['engine'];
  /** `none`: the first start makes them. `older`: the next start brings them up to date. */
  tables: 'none' | 'older' | 'current';
  /** Null with PostgreSQL, which looks after its own. */
  file: ExaminedFile | null;
  /** What the tables hold; only where they are current. */
  rows: ExaminedRows;
  close(): Promise<void>;
}

export interface ExaminedFile {
  /** Null: there is none yet. */
  bytes: number | null;
  /** Reads all of the file, and throws when it is damaged. */
  checkPages(): void;
}

export interface ExaminedRows {
  /** What the first start sealed with its key; null before that. */
  secretKeyCheck(): Promise<Buffer | null>;
  newestEventAt(): Promise<number | null>;
  status(now: number): Promise<DispatcherStatus>;
}

/** `version`: what the database says of its schema, null when it has none. */
export function tablesOf(version: Uint8Array | null): Examination['tables'] {
  if (version === null) return 'none';
  return Number(Buffer.from(version).toString()) < schemaVersion ? 'older' : 'current';
}

export function examinedRows(read: Kysely<Tables>): ExaminedRows {
  const refuse = () => Promise.reject(new Error('an examination changes nothing'));
  const journey = journeyStore({ read, write: refuse }, { add: refuse });
  return {
    async secretKeyCheck() {
      const row = await read
        .selectFrom('meta')
        .select('value')
        .where('name', '=', 'secret_key_check')
        .executeTakeFirst();
      return row === undefined ? null : Buffer.from(row.value);
    },
    async newestEventAt() {
      const row = await read
        .selectFrom('events')
        .select('created_at')
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.created_at ?? null;
    },
    status: (now) => journey.status(null, now),
  };
}
