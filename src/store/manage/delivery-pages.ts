import { type Kysely, sql } from 'kysely';
import type { DeliveryQuery, DeliveryRecord, RowsPage } from '../../core/ports/record-store.ts';
import type { DeliveryStatus } from '../../core/vocabulary.ts';
import { deliveryState, deliveryStatusOf, errorOf, type Tables } from '../tables.ts';
import { type Between, inStretches } from './stretches.ts';

const statesOf: Record<DeliveryStatus, number[]> = {
  pending: [deliveryState.pending, deliveryState.leased],
  succeeded: [deliveryState.succeeded],
  failed: [deliveryState.failed],
  canceled: [deliveryState.canceled],
};
/** Neighbours in the table are soon looked at. */
const stretchRows = 50_000;

/**
 * One page of deliveries, newest first, in bounded time: an index leads to those of an event and to what failed at an
 * endpoint. More of them would cost every delivery.
 */
export async function deliveriesPage(
  read: Kysely<Tables>,
  workspaceId: number,
  query: DeliveryQuery,
  rows = stretchRows,
): Promise<RowsPage<DeliveryRecord>> {
  const { eventId, endpointId, status, before, limit } = query;
  const fitting = async (part: Between & { limit: number }) => {
    const found = await deliveryRows(read, workspaceId)
      .$if(eventId !== undefined, (q) => q.where('deliveries.event_id', '=', eventId ?? 0))
      .$if(endpointId !== undefined, (q) => q.where('deliveries.endpoint_id', '=', endpointId ?? 0))
      .$if(status !== undefined, (q) =>
        // Each by itself: SQLite does not take an index where state = 4 for what is asked as state in (4).
        q.where(({ or, eb }) =>
          or(statesOf[status ?? 'pending'].map((one) => eb('deliveries.state', '=', sql.lit(one)))),
        ),
      )
      .$if(part.before !== undefined, (q) => q.where('deliveries.id', '<', part.before ?? 0))
      .$if(part.after !== undefined, (q) => q.where('deliveries.id', '>', part.after ?? 0))
      .orderBy('deliveries.id', 'desc')
      .limit(part.limit)
      .execute();
    return found.map(deliveryRecord);
  };
  const between = { before, after: undefined };
  const isIndexed = eventId !== undefined || (endpointId !== undefined && status === 'failed');
  if (isIndexed) return { rows: await fitting({ ...between, limit }), goOnBefore: null };
  return inStretches({ ...between, limit, fitting, further: (from, count) => further(read, from, count) }, rows);
}

export async function deliveryOf(
  read: Kysely<Tables>,
  workspaceId: number,
  id: number,
): Promise<DeliveryRecord | null> {
  const row = await deliveryRows(read, workspaceId).where('deliveries.id', '=', id).executeTakeFirst();
  return row === undefined ? null : deliveryRecord(row);
}

async function further(read: Kysely<Tables>, before: number | undefined, count: number): Promise<number | null> {
  const row = await read
    .selectFrom('deliveries')
    .select('id')
    .$if(before !== undefined, (q) => q.where('id', '<', before ?? 0))
    .orderBy('id', 'desc')
    .limit(1)
    .offset(count)
    .executeTakeFirst();
  return row?.id ?? null;
}

function deliveryRows(read: Kysely<Tables>, workspaceId: number) {
  return read
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
}

type DeliveryRow = Awaited<ReturnType<ReturnType<typeof deliveryRows>['execute']>>[number];

function deliveryRecord({ state, due_at, last_error, ...row }: DeliveryRow): DeliveryRecord {
  const status = deliveryStatusOf(state);
  return { ...row, status, dueAt: status === 'pending' ? due_at : null, lastError: errorOf(last_error) };
}
