import type { Pool, PoolClient } from 'pg';
import { PosthornError } from '../../core/errors.ts';
import { checkSchemaVersion, schemaText, schemaVersionValue } from '../migrate.ts';

/** `pg_current_xact_id` and `pg_xact_status` over xid8 came with this version. */
const serverVersionMin = 130_000;
/** The name of the lock under which one process at a time makes the tables: any number, but always the same. */
const migrationLock = 7_678_435_121;

/** Makes the tables of a new database, once, however many processes start. Throws when a newer program made them. */
export async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await checkServer(client);
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
    if ((await versionOf(client)) === null) {
      await client.query(schemaText('postgres'));
      await client.query("insert into meta (name, value) values ('schema_version', $1)", [schemaVersionValue]);
    }
    checkSchemaVersion((await versionOf(client)) ?? schemaVersionValue);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/** Throws for a server that is too old. */
export async function checkServer(on: Pool | PoolClient): Promise<void> {
  const { rows } = await on.query<{ version: number }>("select current_setting('server_version_num')::int as version");
  if ((rows[0]?.version ?? 0) < serverVersionMin) throw misconfigured('Posthorn needs PostgreSQL 13 or later.');
}

/** The schema version of a database of Posthorn's; null where there is none. Throws for another program's. */
export async function versionOf(on: Pool | PoolClient): Promise<Uint8Array | null> {
  const { rows: known } = await on.query<{ found: boolean }>("select to_regclass('meta') is not null as found");
  if (known[0]?.found !== true) return null;
  const { rows } = await on.query<{ value: Buffer }>("select value from meta where name = 'schema_version'");
  if (rows[0] !== undefined) return rows[0].value;
  throw misconfigured(
    'The database that DATABASE_URL names has a table "meta" that is not Posthorn\'s: give Posthorn a database of its own.',
  );
}

function misconfigured(sentence: string): PosthornError {
  return new PosthornError('misconfigured', sentence);
}
