import { type Kysely, sql } from 'kysely';
import type { MatchableAutomation } from '../core/ports/automation-store.ts';
import type { Matchable } from '../core/ports/journey-store.ts';
import { endpointStatus, type Tables } from './tables.ts';

const { active, paused, disabled, pending_approval: waiting } = endpointStatus;

/** When an endpoint ceased to be active: whatever else was changed of it since makes it later, and nothing earlier. */
const activeUntil = sql<number | null>`case when endpoints.status = ${sql.lit(active)} then null
  when endpoints.disabled_at > endpoints.updated_at then endpoints.disabled_at else endpoints.updated_at end`;

/** Active now, or (with a time) possibly then. What was deleted is owed nothing, whenever that was. */
function wasActive(at: number | undefined) {
  const now = sql<boolean>`endpoints.status = ${sql.lit(active)}`;
  if (at === undefined) return now;
  const others = sql.join([paused, disabled, waiting].map((status) => sql.lit(status)));
  return sql<boolean>`(${now} or (endpoints.status in (${others}) and ${activeUntil} >= ${at}))`;
}

/** The version comes first: what changes while the rest is read makes the whole stale, and storing finds out. */
export async function readMatchable(read: Kysely<Tables>, workspaceId: number, activeAt?: number): Promise<Matchable> {
  const { version } = await read
    .selectFrom('workspaces')
    .select('version')
    .where('id', '=', workspaceId)
    .executeTakeFirstOrThrow();
  const endpoints = await read
    .selectFrom('endpoints')
    .select(['id', 'events', 'filter', activeUntil.as('activeUntil')])
    .where('workspace_id', '=', workspaceId)
    .where(wasActive(activeAt))
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
    automations: await readAutomations(read, workspaceId, activeAt),
    eventTypes: own.map(({ name, schema, validation }) => ({
      name,
      schema: validation === 'off' ? null : schema,
      validation,
    })),
  };
}

async function readAutomations(
  read: Kysely<Tables>,
  workspaceId: number,
  activeAt?: number,
): Promise<MatchableAutomation[]> {
  const rows = await read
    .selectFrom('automations')
    .innerJoin('automation_actions', 'automation_actions.automation_id', 'automations.id')
    .innerJoin('endpoints', 'endpoints.id', 'automation_actions.endpoint_id')
    .select(['automations.id', 'automations.trigger_event', 'automations.conditions', 'endpoints.id as endpoint_id'])
    .where('automations.workspace_id', '=', workspaceId)
    .where('automations.enabled', '=', 1)
    .where(wasActive(activeAt))
    .orderBy('automations.id')
    .execute();
  return [...Map.groupBy(rows, ({ id }) => id).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { id, trigger_event: triggerEvent, conditions } = first;
    return [{ id, triggerEvent, conditions, endpointIds: group.map(({ endpoint_id }) => endpoint_id) }];
  });
}
