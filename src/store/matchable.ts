import type { Kysely } from 'kysely';
import type { MatchableAutomation } from '../core/automations.ts';
import type { Matchable } from '../core/ports.ts';
import { endpointStatus, type Tables } from './tables.ts';

/** The version comes first: what changes while the rest is read makes the whole stale, and storing finds out. */
export async function readMatchable(read: Kysely<Tables>, workspaceId: number): Promise<Matchable> {
  const { version } = await read
    .selectFrom('workspaces')
    .select('version')
    .where('id', '=', workspaceId)
    .executeTakeFirstOrThrow();
  const endpoints = await read
    .selectFrom('endpoints')
    .select(['id', 'events', 'filter'])
    .where('workspace_id', '=', workspaceId)
    .where('status', '=', endpointStatus.active)
    .orderBy('id')
    .execute();
  const own = await read
    .selectFrom('event_types')
    .select(['name', 'schema', 'validation'])
    .where('workspace_id', '=', workspaceId)
    .execute();
  return {
    version,
    endpoints: endpoints.map((row) => ({ ...row, events: JSON.parse(row.events) as string[] })),
    automations: await readAutomations(read, workspaceId),
    eventTypes: own.map(({ name, schema, validation }) => ({
      name,
      schema: validation === 'off' ? null : schema,
      validation,
    })),
  };
}

async function readAutomations(read: Kysely<Tables>, workspaceId: number): Promise<MatchableAutomation[]> {
  const rows = await read
    .selectFrom('automations')
    .innerJoin('automation_actions', 'automation_actions.automation_id', 'automations.id')
    .innerJoin('endpoints', 'endpoints.id', 'automation_actions.endpoint_id')
    .select(['automations.id', 'automations.trigger_event', 'automations.conditions', 'endpoints.id as endpoint_id'])
    .where('automations.workspace_id', '=', workspaceId)
    .where('automations.enabled', '=', 1)
    .where('endpoints.status', '=', endpointStatus.active)
    .orderBy('automations.id')
    .execute();
  return [...Map.groupBy(rows, ({ id }) => id).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { id, trigger_event: triggerEvent, conditions } = first;
    return [{ id, triggerEvent, conditions, endpointIds: group.map(({ endpoint_id }) => endpoint_id) }];
  });
}
