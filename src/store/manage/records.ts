import type { Kysely } from 'kysely';
import type { AuditFacts } from '../../core/ports/audit-store.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import { auditedEventType } from '../../core/rules/audited.ts';
import type { ChangeAccess } from '../access.ts';
import { attempt, attemptsOf } from './attempts.ts';
import { bumpVersion } from './bump-version.ts';
import { deliveriesPage, deliveryOf } from './delivery-pages.ts';
import { lockWorkspace } from './lock.ts';
import { logPage } from './log-page.ts';
import { typeId } from './type-id.ts';
import type { Tables } from '../tables.ts';

export function recordStore({ read, change }: ChangeAccess): RecordStore {
  const events = (workspaceId: number) =>
    read
      .selectFrom('events')
      .innerJoin('type_names', 'type_names.id', 'events.type_id')
      .select([
        'events.id',
        'events.public_id as publicId',
        'type_names.name as type',
        'events.data',
        'events.occurred_at as occurredAt',
        'events.created_at as createdAt',
        'events.deliveries_count as deliveriesCount',
      ])
      .where('events.workspace_id', '=', workspaceId);

  return {
    attempts: (workspaceId, query) => logPage(read, workspaceId, query),
    attempt: (workspaceId, id, withExcerpt) => attempt(read, workspaceId, id, withExcerpt),
    attemptsOf: (workspaceId, deliveryId, limit) => attemptsOf(read, workspaceId, deliveryId, limit),

    async event(workspaceId, publicId) {
      return (await events(workspaceId).where('events.public_id', '=', publicId).executeTakeFirst()) ?? null;
    },

    events: (workspaceId, { type, before, limit }) =>
      events(workspaceId)
        .where('events.is_test', '=', 0)
        .$if(type !== undefined, (query) => query.where('events.type_id', '=', typeId(type ?? '')))
        .$if(before !== undefined, (query) => query.where('events.id', '<', before ?? 0))
        .orderBy('events.id', 'desc')
        .limit(limit)
        .execute(),

    deliveries: (workspaceId, query) => deliveriesPage(read, workspaceId, query),
    delivery: (workspaceId, id) => deliveryOf(read, workspaceId, id),

    eventTypes: (workspaceId) =>
      read
        .selectFrom('event_types')
        .select(['name', 'description', 'schema', 'example', 'validation'])
        .where('workspace_id', '=', workspaceId)
        .orderBy('name')
        .execute(),

    putEventType: (workspaceId, type, now) =>
      change(async (trx) => {
        const { name, description, schema, example, validation } = type;
        const before = await ownType(trx, workspaceId, name);
        const values = { description, schema, example, validation, updated_at: now };
        await trx
          .insertInto('event_types')
          .values({ ...values, workspace_id: workspaceId, name, created_at: now })
          .onConflict((conflict) => conflict.columns(['workspace_id', 'name']).doUpdateSet(values))
          .execute();
        await bumpVersion(trx, workspaceId);
        const audit = { workspaceId, target: name, before, after: auditedEventType(type) };
        return { answer: undefined, audit };
      }),

    deleteEventType: (workspaceId, name) =>
      change(async (trx) => {
        const before = await ownType(trx, workspaceId, name);
        if (before === null) return { answer: false, audit: null };
        const { numDeletedRows } = await trx
          .deleteFrom('event_types')
          .where('workspace_id', '=', workspaceId)
          .where('name', '=', name)
          .executeTakeFirstOrThrow();
        if (numDeletedRows === 0n) return { answer: false, audit: null };
        await bumpVersion(trx, workspaceId);
        return { answer: true, audit: { workspaceId, target: name, before, after: null } };
      }),
  };
}

/** The workspace's own event type of that name, as the audit log keeps it. */
async function ownType(trx: Kysely<Tables>, workspaceId: number, name: string): Promise<AuditFacts | null> {
  await lockWorkspace(trx, workspaceId);
  const row = await trx
    .selectFrom('event_types')
    .select(['name', 'description', 'schema', 'example', 'validation'])
    .where('workspace_id', '=', workspaceId)
    .where('name', '=', name)
    .executeTakeFirst();
  return row === undefined ? null : auditedEventType(row);
}
