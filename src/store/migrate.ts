import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PosthornError } from '../core/errors.ts';
import { packageRoot } from '../package.ts';
import { schemaVersion } from './tables.ts';

/** The tables of a new database. */
export function schemaText(engine: 'sqlite' | 'postgres'): string {
  return readFileSync(join(packageRoot, engine === 'sqlite' ? 'schema.sql' : 'schema.postgres.sql'), 'utf8');
}

/** What is kept under `schema_version` in `meta`. */
export const schemaVersionValue = Buffer.from(String(schemaVersion));

/** Throws when the database was made by a newer program: an older one would write rows that it misreads. */
export function checkSchemaVersion(stored: Uint8Array): void {
  const version = Number(Buffer.from(stored).toString());
  if (version > schemaVersion) {
    throw new PosthornError(
      'misconfigured',
      `The database has schema version ${version}, and this program knows ${schemaVersion}: start the newer posthorn that wrote it, or restore a backup from before the upgrade.`,
    );
  }
}
