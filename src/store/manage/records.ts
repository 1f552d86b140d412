import type { Kysely } from 'kysely';
import type { AuditFacts } from '../../core/audit.ts';
import type { RecordStore } from '../../core/ports.ts';
import { auditedEventType } from '../../core/rules/audited.ts';
import type { DeliveryStatus } from '../../core/vocabulary.ts';
import type { ChangeAccess } from '../access.ts';
import { attempts, attemptsOf } from './attempts.ts';
import { logPage } from './log-page.ts';
import { bumpVersion } from './bump-version.ts';
import { lockWorkspace } from './lock.ts';
import { deliveryState, deliveryStatusOf, errorOf, type Tables } from '../tables.ts';

/** Looking for a quiet workspace's newest event stops after these: it is for a diagnosis, not for the record. */
const latestEventRowsMax = 10_000;

const statesOf: Record<DeliveryStatus, number[]> = {
  pending: [deliveryState.pending, deliveryState.leased],
  succeeded: [deliveryState.succeeded],
  failed: [deliveryState.failed],
  canceled: [deliveryState.canceled],
};

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

  const deliveries = (workspaceId: number) =>
    read
      .selectFrom('deliveries')
      .innerJoin('events', 'events.id', 'deliveries.event_id')
      .innerJoin('type_names', 'type_names.id', 'events.type_id')
      .innerJoin('endpoints', 'endpoints.id', 'deliveries.endpoint_id')
      .select([
        'deliveries.id',
        'events.public_id as eventPublicId',
        'type_names.name as eventType',
        'endpoints.public_id as endpointPublicId',
        'deliveries.state',
        'deliveries.attempts',
        'deliveries.due_at',
        'deliveries.last_error',
        'deliveries.created_at as createdAt',
      ])
      .where('deliveries.workspace_id', '=', workspaceId);
  type DeliveryRow = Awaited<ReturnType<ReturnType<typeof deliveries>['execute']>>[number];

  function deliveryRecord({ state, due_at, last_error, ...row }: DeliveryRow) {
    const status = deliveryStatusOf(state);
    return { ...row, status, dueAt: status === 'pending' ? due_at : null, lastError: errorOf(last_error) };
  }

  return {
    attempts: (workspaceId, query) => attempts(read, workspaceId, query),
    log: (workspaceId, query) => logPage(read, workspaceId, query),
    attemptsOf: (workspaceId, deliveryId, limit) => attemptsOf(read, workspaceId, deliveryId, limit),

    async event(workspaceId, publicId) {
      return (await events(workspaceId).where('events.public_id', '=', publicId).executeTakeFirst()) ?? null;
    },

    events: (workspaceId, { type, before, limit }) =>
      events(workspaceId)
        .where('events.is_test', '=', 0)
        .$if(type !== undefined, (query) => query.where('type_names.name', '=', type ?? ''))
        .$if(before !== undefined, (query) => query.where('events.id', '<', before ?? 0))
        .orderBy('events.id', 'desc')
        .limit(limit)
        .execute(),

    async latestEvent(workspaceId) {
      const newest = read
        .selectFrom('events')
        .select(({ fn, eb }) => eb(fn.max('id'), '-', latestEventRowsMax).as('id'));
      const row = await read
        .selectFrom('events')
        .innerJoin('type_names', 'type_names.id', 'events.type_id')
        .select([
          'events.public_id as publicId',
          'type_names.name as type',
          'events.data',
          'events.occurred_at as occurredAt',
          'events.created_at as createdAt',
        ])
        .where('events.id', '>', newest)
        .where('events.workspace_id', '=', workspaceId)
        .where('events.is_test', '=', 0)
        .orderBy('events.id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row ?? null;
    },

    async deliveries(workspaceId, { eventId, endpointId, status, before, limit }) {
      const rows = await deliveries(workspaceId)
        .$if(eventId !== undefined, (query) => query.where('deliveries.event_id', '=', eventId ?? 0))
        .$if(endpointId !== undefined, (query) => query.where('deliveries.endpoint_id', '=', endpointId ?? 0))
        .$if(status !== undefined, (query) => query.where('deliveries.state', 'in', statesOf[status ?? 'pending']))
        .$if(before !== undefined, (query) => query.where('deliveries.id', '<', before ?? 0))
        .orderBy('deliveries.id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(deliveryRecord);
    },

    async delivery(workspaceId, id) {
      const row = await deliveries(workspaceId).where('deliveries.id', '=', id).executeTakeFirst();
      return row === undefined ? null : deliveryRecord(row);
    },

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
