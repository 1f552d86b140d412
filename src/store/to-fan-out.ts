import { type Kysely, sql } from 'kysely';
import type { FanOutWork } from '../core/ports/journey-store.ts';
import type { Tables } from './tables.ts';

/** The oldest events that wait to be fanned out, of the workspace whose turn it is behind `afterWorkspaceId`. */
export async function nextToFanOut(
  read: Kysely<Tables>,
  countMax: number,
  afterWorkspaceId: number,
  deliveriesMax: number,
): Promise<FanOutWork[]> {
  const workspaceId = (await nextWaiting(read, afterWorkspaceId)) ?? (await nextWaiting(read, 0));
  if (workspaceId === null) return [];
  const oldest = await read
    .selectFrom('events')
    .select(['id', 'deliveries_count'])
    .where('fanned_out_after', 'is not', null)
    .where('workspace_id', '=', workspaceId)
    .orderBy('id')
    .limit(countMax)
    .execute();
  let sum = 0;
  const taken = oldest.filter(({ deliveries_count }) => {
    const fits = sum < deliveriesMax;
    sum += deliveries_count;
    return fits;
  });
  if (taken.length === 0) return [];
  const rows = await read
    .selectFrom('events')
    .innerJoin('type_names', 'type_names.id', 'events.type_id')
    .select(['events.id', 'public_id', 'data', 'occurred_at', 'created_at', 'fanned_out_after', 'name'])
    .where(
      'events.id',
      'in',
      taken.map(({ id }) => id),
    )
    // Another worker may have been faster since.
    .where('fanned_out_after', 'is not', null)
    .orderBy('events.id')
    .execute();
  return rows.map((row) => ({
    eventId: row.id,
    workspaceId,
    publicId: row.public_id,
    type: row.name,
    occurredAt: row.occurred_at,
    data: row.data ?? 'null',
    createdAt: row.created_at,
    afterEndpointId: row.fanned_out_after ?? 0,
  }));
}

async function nextWaiting(read: Kysely<Tables>, afterWorkspaceId: number): Promise<number | null> {
  const { id } = await read
    .selectFrom('events')
    .select(({ fn }) => fn.min('workspace_id').as('id'))
    .where('fanned_out_after', 'is not', null)
    .where('workspace_id', '>', afterWorkspaceId)
    .executeTakeFirstOrThrow();
  return id;
}

/**
 * Whether fanning out an event has passed this endpoint. What it has yet to come to is its own to make: two that make the
 * same delivery wait for each other on PostgreSQL.
 */
export const isFannedOutTo = (endpointId: number) =>
  sql<boolean>`(events.fanned_out_after is null or events.fanned_out_after >= ${endpointId})`;
