import { type Kysely, PostgresAdapter } from 'kysely';
import type { Tables } from '../tables.ts';

/**
 * On PostgreSQL, locks endpoints for the rest of the transaction, in the order of their ids, as everybody does; on SQLite
 * there is one writer, and nothing to lock. Whoever writes back what he read of an endpoint, or changes deliveries that
 * exist, calls this first: in between, another process may publish to it, lease from it, pause or delete it.
 */
export async function lockEndpoints(trx: Kysely<Tables>, ids: number[]): Promise<void> {
  if (!isPostgres(trx) || ids.length === 0) return;
  await trx.selectFrom('endpoints').select('id').where('id', 'in', ids).orderBy('id').forNoKeyUpdate().execute();
}

/** The same for a workspace: what is counted or looked up in it stays so until the end of the transaction. */
export async function lockWorkspace(trx: Kysely<Tables>, id: number): Promise<void> {
  if (!isPostgres(trx)) return;
  await trx.selectFrom('workspaces').select('id').where('id', '=', id).forNoKeyUpdate().execute();
}

/**
 * The events of these that are still there. They stay until the end of the transaction, so that a delivery made in it has
 * an event.
 */
export async function keepEvents(trx: Kysely<Tables>, ids: number[]): Promise<number[]> {
  if (!isPostgres(trx) || ids.length === 0) return ids;
  const rows = await trx.selectFrom('events').select('id').where('id', 'in', ids).orderBy('id').forKeyShare().execute();
  return rows.map(({ id }) => id);
}

/** The events of these that nobody keeps at this moment; nobody else will until the end of the transaction. */
export async function takeEvents(trx: Kysely<Tables>, ids: number[]): Promise<number[]> {
  if (!isPostgres(trx) || ids.length === 0) return ids;
  const events = trx.selectFrom('events').select('id').where('id', 'in', ids).orderBy('id');
  const rows = await events.forUpdate().skipLocked().execute();
  return rows.map(({ id }) => id);
}

export function isPostgres(trx: Kysely<Tables>): boolean {
  return trx.getExecutor().adapter instanceof PostgresAdapter;
}
