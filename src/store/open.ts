import { fileURLToPath } from 'node:url';
import type { Store } from '../core/ports/ports.ts';
import type { HealthLimits } from '../core/rules/health.ts';
import type { Examination } from './examination.ts';

export interface StoreOptions {
  healthLimits: HealthLimits;
  /** Called when nothing can be stored any more for as long as this process lives. */
  onDeath?: (error: Error) => void;
}

/**
 * Opens the database that `url` names, `file:PATH` or `postgres://…`, and makes its tables when it is new. Throws when a
 * newer program wrote it.
 */
export async function openStore(url: string, { healthLimits, onDeath = () => {} }: StoreOptions): Promise<Store> {
  if (url.startsWith('file:')) {
    const path = sqlitePath(url);
    const { WriterThread } = await import('./sqlite/writer-thread.ts');
    // The thread loads and opens the file while this one loads the query builder, which takes as long.
    const starting = WriterThread.start(path, healthLimits, onDeath);
    const [thread, { openSqlite }] = await Promise.all([starting, import('./sqlite/store.ts')]);
    return openSqlite(path, thread);
  }
  const { openPostgres } = await import('./postgres/store.ts');
  return openPostgres(url, healthLimits);
}

/**
 * What the server on this database recorded (see `SettingsStore`), read before the database is opened, since how it is
 * opened depends on it. Null when nothing is recorded, or there is no database yet. Makes nothing.
 */
export async function readRecorded(url: string): Promise<string | null> {
  if (url.startsWith('file:')) return (await import('./sqlite/store.ts')).recordedOnSqlite(sqlitePath(url));
  return (await import('./postgres/store.ts')).recordedOnPostgres(url);
}

/** Loads what `openStore` will need for this URL, and opens nothing. */
export async function preloadStore(url: string): Promise<void> {
  await (url.startsWith('file:') ? import('./sqlite/store.ts') : import('./postgres/store.ts'));
}

/** Looks at the database that `url` names. Throws as a start would. */
export async function examineStore(url: string): Promise<Examination> {
  if (url.startsWith('file:')) {
    const { examineSqlite } = await import('./sqlite/examine.ts');
    return examineSqlite(sqlitePath(url));
  }
  const { examinePostgres } = await import('./postgres/examine.ts');
  return examinePostgres(url);
}

/** The path of a `file:` URL, in its short form (`file:./data/posthorn.db`) too. */
export function sqlitePath(url: string): string {
  return url.startsWith('file://') ? fileURLToPath(url) : url.slice('file:'.length);
}
