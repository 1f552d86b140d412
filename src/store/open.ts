import { fileURLToPath } from 'node:url';
import type { Store } from '../core/ports.ts';
import type { HealthLimits } from '../core/rules/health.ts';

/**
 * Opens the database that `url` names, `file:PATH` or `postgres://…`, and makes its tables when it is new. Throws when a
 * newer program wrote it.
 */
export async function openStore(url: string, options: { healthLimits: HealthLimits }): Promise<Store> {
  if (url.startsWith('file:')) {
    const { openSqlite } = await import('./sqlite/store.ts');
    return openSqlite(sqlitePath(url), options.healthLimits);
  }
  const { openPostgres } = await import('./postgres/store.ts');
  return openPostgres(url, options.healthLimits);
}

/** The path of a `file:` URL, in its short form (`file:./data/posthorn.db`) too. */
export function sqlitePath(url: string): string {
  return url.startsWith('file://') ? fileURLToPath(url) : url.slice('file:'.length);
}
