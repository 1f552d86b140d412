import { type Kysely, sql } from 'kysely';
import type { FilterErrorNote } from '../../core/ports/conditions.ts';
import type { Tables } from '../tables.ts';
import { lockEndpoints } from './lock.ts';

/** Counts what filters had no value for. Changes nothing that matching depends on, so publishing goes on as it was. */
export async function noteFilterErrors(trx: Kysely<Tables>, notes: FilterErrorNote[]): Promise<void> {
  await lockEndpoints(trx, [...new Set(notes.map(({ endpointId }) => endpointId))]);
  for (const { workspaceId, endpointId, count, sentence, at } of notes) {
    await trx
      .updateTable('endpoints')
      .set({
        filter_error_count: sql`filter_error_count + ${count}`,
        last_filter_error: sentence,
        last_filter_error_at: at,
      })
      .where('workspace_id', '=', workspaceId)
      .where('id', '=', endpointId)
      .execute();
  }
}
