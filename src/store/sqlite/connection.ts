import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { PosthornError } from '../../core/errors.ts';
import { foreign } from './start-error.ts';
import { checkSchemaVersion, schemaText, schemaVersionValue } from '../migrate.ts';

/** Another process may hold the file for a moment; past this a call answers `store_unavailable`. */
export const busyMsMax = 5_000;

/** The one writing connection of a process. Makes folder, file and tables when they are missing. */
export function openWriter(path: string): Database.Database {
  makeFolder(dirname(path));
  makePrivate(path);
  const db = new Database(path, { timeout: busyMsMax });
  // Before anything is written: the file of another program stays as it is.
  untilFree(() => versionOf(db));
  untilFree(() => db.pragma('journal_mode = WAL'));
  // NORMAL would lose what was acknowledged when the power fails: only FULL syncs the log with every commit.
  db.pragma('synchronous = FULL');
  // What is freed within a page is overwritten; `erasing.ts` says more where a payload is erased.
  db.pragma('secure_delete = fast');
  // Pages as they were before a statement, in case that it fails in the middle: beyond 64 KiB they, payloads among them, would
  // go through a file in the system's folder for temporary ones, and leasing a share of a wide event's deliveries goes beyond.
  db.pragma('temp_store = memory');
  // 16 MiB. In a file of less than 1 GiB every commit after a page was split walks the whole cache: SQLite moves pages by way
  // of the number of the page at 1 GiB, and then looks for what lies past the end.
  db.pragma('cache_size = -16384');
  // A larger log means fewer checkpoints, each of which syncs the whole file.
  db.pragma('wal_autocheckpoint = 4000');
  db.pragma('journal_size_limit = 67108864');
  migrate(db);
  return db;
}

/** Payloads are nobody else's business. The log beside the file gets its mode; why a file cannot be made, SQLite says. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch {
    // Opening it fails too, in a moment, with the reason.
  }
}

/** A client that starts us in `/` is the usual reason why this fails: only another path helps, not trying again. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `The folder ${path} for the database cannot be made (${code}); set DATABASE_URL to a file that can be written, for example DATABASE_URL=file:~/.posthorn/posthorn.db`;
    throw new PosthornError('misconfigured', message);
  }
}

/** A connection beside it that only reads, and therefore never waits for a writer. */
export function openReader(path: string): Database.Database {
  const db = new Database(path, { readonly: true, timeout: busyMsMax });
  db.pragma('query_only = on');
  return db;
}

/** The schema version of a Posthorn's database; null for a file that holds nothing yet. Throws for anybody else's. */
export function versionOf(db: Database.Database): Uint8Array | null {
  const tables = db.prepare("select name from sqlite_master where type = 'table'").pluck().all();
  if (tables.length === 0) return null;
  const columns = db.prepare("select name from pragma_table_info('meta')").pluck().all();
  const isMeta = ['name', 'value'].every((name) => columns.includes(name));
  const row = isMeta ? db.prepare("select value from meta where name = 'schema_version'").pluck().get() : undefined;
  if (!(row instanceof Uint8Array)) throw foreign(db.name);
  return row;
}

/**
 * Changing the journal of a new file needs it alone, and SQLite does not wait for that by itself: two processes that make
 * the same database at once would see one of them fail.
 */
function untilFree(work: () => unknown): void {
  const deadline = Date.now() + busyMsMax;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      const busy = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
      if (!busy || Date.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function migrate(db: Database.Database): void {
  const make = db.transaction(() => {
    if (versionOf(db) === null) {
      db.exec(schemaText('sqlite'));
      db.prepare("insert into meta (name, value) values ('schema_version', ?)").run(schemaVersionValue);
    }
    checkSchemaVersion(versionOf(db) ?? schemaVersionValue);
  });
  make.immediate();
}
