import { type Kysely, sql } from 'kysely';
import { outlastWideEvents } from '../outlast.ts';
import type { Tables } from '../tables.ts';

/**
 * Everything that matching depends on changes its workspace's version in the same transaction; `endpointId` names an
 * endpoint that may have ceased to be active by it.
 */
export async function bumpVersion(trx: Kysely<Tables>, workspaceId: number, endpointId?: number): Promise<void> {
  await trx.updateTable('workspaces').set({ version: sql`version + 1` }).where('id', '=', workspaceId).execute();
  if (endpointId !== undefined) await sql.raw(outlastWideEvents(`id = ${endpointId}`)).execute(trx);
}
