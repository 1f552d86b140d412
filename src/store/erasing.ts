import { type Kysely, sql } from 'kysely';
import type { Access } from './access.ts';
import { isPostgres } from './manage/lock.ts';
import type { Tables } from './tables.ts';

/** In `meta`: something was erased, and the write-ahead log may still hold it. */
const toCut = 'log_holds_erased';

/**
 * On SQLite, overwrites the pages that `work` frees, and notes that the log has to be cut. Always, it would make pruning
 * write every page that it frees. PostgreSQL overwrites nothing: its vacuum reuses the place.
 */
export async function overwriting(trx: Kysely<Tables>, work: () => Promise<unknown>): Promise<void> {
  if (isPostgres(trx)) return void (await work());
  await sql`pragma secure_delete = on`.execute(trx);
  try {
    await work();
  } finally {
    await sql`pragma secure_delete = fast`.execute(trx);
  }
  await trx
    .insertInto('meta')
    .values({ name: toCut, value: Buffer.alloc(0) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Empties SQLite's log where it may hold what was erased. It waits for nobody: when another process is reading, the next
 * time will do. `alone` runs outside of a transaction, with the writer to itself.
 */
export async function cutLog(
  { read, write }: Access,
  alone: (statements: string[]) => Promise<unknown[]>,
  busyMsMax: number,
): Promise<void> {
  const owed = await read.selectFrom('meta').select('name').where('name', '=', toCut).executeTakeFirst();
  if (owed === undefined) return;
  const [, row] = await alone([
    'pragma busy_timeout = 0',
    'pragma wal_checkpoint(truncate)',
    `pragma busy_timeout = ${busyMsMax}`,
  ]);
  if ((row as { busy?: number } | undefined)?.busy !== 0) return;
  await write((trx) => trx.deleteFrom('meta').where('name', '=', toCut).execute());
}
