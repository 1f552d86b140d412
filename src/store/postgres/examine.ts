import { type Examination, examinedRows, tablesOf } from '../examination.ts';
import { checkSchemaVersion } from '../migrate.ts';
import { openPool } from './connection.ts';
import { kyselyOver } from './kysely.ts';
import { checkServer, versionOf } from './migrate.ts';
import { startError } from './start-error.ts';

export async function examinePostgres(url: string): Promise<Examination> {
  const pool = openPool(url, 1);
  try {
    await checkServer(pool);
    const version = await versionOf(pool);
    if (version !== null) checkSchemaVersion(version);
    return {
      engine: 'postgres',
      tables: tablesOf(version),
      file: null,
      rows: examinedRows(kyselyOver(pool)),
      close: () => pool.end(),
    };
  } catch (error) {
    await pool.end();
    throw startError(url, error);
  }
}
