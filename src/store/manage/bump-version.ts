import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';

/** Everything that matching depends on changes its workspace's version in the same transaction. */
export async function bumpVersion(trx: Kysely<Tables>, workspaceId: number): Promise<void> {
  await trx.updateTable('workspaces').set({ version: sql`version + 1` }).where('id', '=', workspaceId).execute();
}
