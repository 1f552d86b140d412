import type { Pool } from 'pg';
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
    const { rows: server } = await client.query<{ version: number }>(
      "select current_setting('server_version_num')::int as version",
    );
    if ((server[0]?.version ?? 0) < serverVersionMin) throw misconfigured('Posthorn needs PostgreSQL 13 or later.');
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
    const { rows: known } = await client.query<{ found: boolean }>("select to_regclass('meta') is not null as found");
    if (known[0]?.found !== true) {
      await client.query(schemaText('postgres'));
      await client.query("insert into meta (name, value) values ('schema_version', $1)", [schemaVersionValue]);
    }
    const { rows } = await client.query<{ value: Buffer }>("select value from meta where name = 'schema_version'");
    if (rows[0] === undefined) {
      throw misconfigured(
        'The database that DATABASE_URL names has a table "meta" that is not Posthorn\'s: give Posthorn a database of its own.',
      );
    }
    checkSchemaVersion(rows[0].value);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

function misconfigured(sentence: string): PosthornError {
  return new PosthornError('misconfigured', sentence);
}
