import { type Kysely, sql } from 'kysely';
import type { AutomationNote, AutomationRef } from '../../core/ports/automation-store.ts';
import type { Tables } from '../tables.ts';

/** Counts what became of automations. Changes nothing that matching depends on, so publishing goes on as it was. */
export async function noteRuns(trx: Kysely<Tables>, notes: AutomationNote[]): Promise<void> {
  // In the order of their ids, as everybody who changes several of them at once.
  for (const note of notes.toSorted((a, b) => a.automationId - b.automationId)) {
    const { workspaceId, automationId, fired, errors, sentence, at } = note;
    await trx
      .updateTable('automations')
      .set({
        ...(fired === 0 ? {} : { fired_count: sql`fired_count + ${fired}`, last_fired_at: at }),
        ...(errors === 0 ? {} : { error_count: sql`error_count + ${errors}`, last_error: sentence, last_error_at: at }),
      })
      .where('workspace_id', '=', workspaceId)
      .where('id', '=', automationId)
      .execute();
  }
}

/** The automations that call an endpoint, disabled ones too, oldest first. */
export function automationsOf(trx: Kysely<Tables>, endpointId: number): Promise<AutomationRef[]> {
  return trx
    .selectFrom('automations')
    .innerJoin('automation_actions', 'automation_actions.automation_id', 'automations.id')
    .select(['automations.public_id as publicId', 'automations.name'])
    .where('automation_actions.endpoint_id', '=', endpointId)
    .orderBy('automations.id')
    .execute();
}
