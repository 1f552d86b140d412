import { existsSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { type Examination, type ExaminedFile, examinedRows, tablesOf } from '../examination.ts';
import { checkSchemaVersion } from '../migrate.ts';
import type { Tables } from '../tables.ts';
import { busyMsMax, versionOf } from './connection.ts';
import { fault } from './reply.ts';
import { checkAccess, damaged, startError } from './start-error.ts';

export function examineSqlite(path: string): Examination {
  checkAccess(path);
  return explaining(path, () => {
    const db = openUnchanging(path);
    const version = versionOf(db);
    if (version !== null) checkSchemaVersion(version);
    return {
      engine: 'sqlite',
      tables: tablesOf(version),
      file: examinedFile(path, db),
      rows: examinedRows(new Kysely<Tables>({ dialect: new SqliteDialect({ database: db }) })),
      close: async () => void db.close(),
    };
  });
}

/**
 * A log that is there stays as it is only to a connection that cannot write. Where there is none, such a one would leave an
 * empty log behind, which one that could write takes away again as it closes.
 */
function openUnchanging(path: string): Database.Database {
  if (!existsSync(path)) return new Database(':memory:');
  const hasLog = ['-wal', '-journal'].some((suffix) => existsSync(path + suffix));
  const db = new Database(path, { readonly: hasLog, fileMustExist: true, timeout: busyMsMax });
  db.pragma('query_only = on');
  return db;
}

function examinedFile(path: string, db: Database.Database): ExaminedFile {
  return {
    bytes: statSync(path, { throwIfNoEntry: false })?.size ?? null,
    checkPages() {
      const found = explaining(path, () => String(db.pragma('quick_check(1)', { simple: true })));
      if (found !== 'ok') throw damaged(path, found.replaceAll(/\s+/g, ' '));
    },
  };
}

function explaining<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw startError(path, fault(error));
  }
}
