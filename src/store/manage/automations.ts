import type { Kysely } from 'kysely';
import type {
  AutomationChange,
  AutomationOutcome,
  AutomationRecord,
  AutomationStore,
  NewAutomation,
} from '../../core/ports/automation-store.ts';
import { auditedAutomation } from '../../core/rules/audited.ts';
import type { Changed, ChangeAccess } from '../access.ts';
import { endpointKind, endpointStatus, type Tables } from '../tables.ts';
import { noteRuns } from './automation-runs.ts';
import { bumpVersion } from './bump-version.ts';
import { unchanged } from './endpoint-change.ts';
import { lockWorkspace } from './lock.ts';

/**
 * Every change locks the workspace first, as deleting a config does before it looks for automations: so none comes to call
 * a config that is being deleted.
 */
export function automationStore({ read, write, change }: ChangeAccess): AutomationStore {
  return {
    insert: (automation, countMax) => change((trx) => insert(trx, automation, countMax)),

    async get(workspaceId, publicId) {
      const row = await rows(read, workspaceId).where('public_id', '=', publicId).executeTakeFirst();
      return row === undefined ? null : ((await records(read, [row]))[0] ?? null);
    },

    async list(workspaceId, before, limit) {
      const found = await rows(read, workspaceId)
        .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return records(read, found);
    },

    update: (workspaceId, publicId, wanted) => change((trx) => update(trx, workspaceId, publicId, wanted)),

    delete: (workspaceId, publicId) =>
      change(async (trx) => {
        await lockWorkspace(trx, workspaceId);
        const old = await one(trx, workspaceId, publicId);
        if (old === null) return unchanged(false);
        await trx.deleteFrom('automation_actions').where('automation_id', '=', old.id).execute();
        await trx.deleteFrom('automations').where('id', '=', old.id).execute();
        await bumpVersion(trx, workspaceId);
        return { answer: true, audit: { workspaceId, target: publicId, before: auditedAutomation(old), after: null } };
      }),

    triggersOf: (workspaceId, endpointId) =>
      read
        .selectFrom('automations')
        .innerJoin('automation_actions', 'automation_actions.automation_id', 'automations.id')
        .select(['automations.trigger_event as triggerEvent', 'automations.conditions'])
        .where('automations.workspace_id', '=', workspaceId)
        .where('automations.enabled', '=', 1)
        .where('automation_actions.endpoint_id', '=', endpointId)
        .orderBy('automations.id')
        .execute(),

    noteRuns: (notes) => write((trx) => noteRuns(trx, notes)),
  };
}

async function insert(
  trx: Kysely<Tables>,
  automation: NewAutomation,
  countMax: number,
): Promise<Changed<AutomationOutcome>> {
  const { workspaceId, publicId, configIds, now } = automation;
  await lockWorkspace(trx, workspaceId);
  const { count } = await trx
    .selectFrom('automations')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirstOrThrow();
  if (Number(count) >= countMax) return unchanged({ outcome: 'limit' });
  const configs = await configRows(trx, workspaceId, configIds);
  if ('index' in configs) return unchanged({ outcome: 'unknown_config', index: configs.index });
  const { id } = await trx
    .insertInto('automations')
    .values({
      public_id: publicId,
      workspace_id: workspaceId,
      name: automation.name,
      trigger_event: automation.triggerEvent,
      conditions: automation.conditions,
      enabled: automation.enabled ? 1 : 0,
      fired_count: 0,
      error_count: 0,
      created_by_key_id: automation.createdByKeyId,
      created_at: now,
      updated_at: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await insertActions(trx, id, configs.ids);
  return stored(trx, workspaceId, publicId, null);
}

async function update(
  trx: Kysely<Tables>,
  workspaceId: number,
  publicId: string,
  wanted: AutomationChange,
): Promise<Changed<AutomationOutcome>> {
  await lockWorkspace(trx, workspaceId);
  const old = await one(trx, workspaceId, publicId);
  if (old === null) return unchanged({ outcome: 'not_found' });
  const { name, triggerEvent, conditions, configIds, enabled, now } = wanted;
  if (configIds !== undefined) {
    const configs = await configRows(trx, workspaceId, configIds);
    if ('index' in configs) return unchanged({ outcome: 'unknown_config', index: configs.index });
    await trx.deleteFrom('automation_actions').where('automation_id', '=', old.id).execute();
    await insertActions(trx, old.id, configs.ids);
  }
  await trx
    .updateTable('automations')
    .set({
      ...(name === undefined ? {} : { name }),
      ...(triggerEvent === undefined ? {} : { trigger_event: triggerEvent }),
      ...(conditions === undefined ? {} : { conditions, error_count: 0, last_error: null, last_error_at: null }),
      ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
      updated_at: now,
    })
    .where('id', '=', old.id)
    .execute();
  return stored(trx, workspaceId, publicId, old);
}

async function stored(
  trx: Kysely<Tables>,
  workspaceId: number,
  target: string,
  old: AutomationRecord | null,
): Promise<Changed<AutomationOutcome>> {
  await bumpVersion(trx, workspaceId);
  const automation = await one(trx, workspaceId, target);
  if (automation === null) throw new Error('the automation that was just stored is not there');
  const before = old === null ? null : auditedAutomation(old);
  return {
    answer: { outcome: 'stored', automation },
    audit: { workspaceId, target, before, after: auditedAutomation(automation) },
  };
}

/** The rows of these configs, or the first that is none of the workspace. */
async function configRows(
  trx: Kysely<Tables>,
  workspaceId: number,
  publicIds: string[],
): Promise<{ ids: number[] } | { index: number }> {
  const found = await trx
    .selectFrom('endpoints')
    .select(['id', 'public_id'])
    .where('workspace_id', '=', workspaceId)
    .where('kind', '=', endpointKind.config)
    .where('status', '!=', endpointStatus.deleted)
    .where('public_id', 'in', publicIds)
    .execute();
  const byId = new Map(found.map((row) => [row.public_id, row.id]));
  const index = publicIds.findIndex((publicId) => !byId.has(publicId));
  return index >= 0 ? { index } : { ids: publicIds.map((publicId) => byId.get(publicId) ?? 0) };
}

async function insertActions(trx: Kysely<Tables>, automationId: number, endpointIds: number[]): Promise<void> {
  const actions = endpointIds.map((endpoint_id, position) => ({ automation_id: automationId, position, endpoint_id }));
  await trx.insertInto('automation_actions').values(actions).execute();
}

function rows(db: Kysely<Tables>, workspaceId: number) {
  return db.selectFrom('automations').selectAll().where('workspace_id', '=', workspaceId);
}

async function one(db: Kysely<Tables>, workspaceId: number, publicId: string): Promise<AutomationRecord | null> {
  const row = await rows(db, workspaceId).where('public_id', '=', publicId).executeTakeFirst();
  return row === undefined ? null : ((await records(db, [row]))[0] ?? null);
}

type AutomationRow = Omit<Tables['automations'], 'id'> & { id: number };

async function records(db: Kysely<Tables>, found: AutomationRow[]): Promise<AutomationRecord[]> {
  if (found.length === 0) return [];
  const actions = await db
    .selectFrom('automation_actions')
    .innerJoin('endpoints', 'endpoints.id', 'automation_actions.endpoint_id')
    .select(['automation_actions.automation_id', 'endpoints.public_id'])
    .where(
      'automation_id',
      'in',
      found.map(({ id }) => id),
    )
    .orderBy('position')
    .execute();
  const configs = Map.groupBy(actions, ({ automation_id }) => automation_id);
  return found.map((row) => ({
    id: row.id,
    publicId: row.public_id,
    workspaceId: row.workspace_id,
    name: row.name,
    triggerEvent: row.trigger_event,
    conditions: row.conditions,
    configIds: (configs.get(row.id) ?? []).map(({ public_id }) => public_id),
    enabled: row.enabled === 1,
    runs: {
      firedCount: row.fired_count,
      lastFiredAt: row.last_fired_at,
      errorCount: row.error_count,
      lastError: row.last_error,
      lastErrorAt: row.last_error_at,
    },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }));
}
