import type { AcceptBatch, NewEvent } from '../../../core/ports/journey-store.ts';
import type { Transaction } from '../transaction.ts';
import type { TypeIds } from './type-ids.ts';

export interface StoredEvent {
  type: string;
  data: string | null;
  deliveries: number;
}

/** An event's id belongs to its workspace. */
export function keyOf(workspaceId: number, publicId: string): string {
  return `${workspaceId}/${publicId}`;
}

/** An array may name an id twice: the first is the event, the others repeat it or conflict with it. */
export function firstOfEachId(events: NewEvent[]): NewEvent[] {
  const firsts = new Map<string, NewEvent>();
  for (const event of events) if (!firsts.has(event.publicId)) firsts.set(event.publicId, event);
  return [...firsts.values()];
}

/**
 * Keys are given in the order of the array. The rows go in by public id: a row waits for another transaction that just
 * inserts the same id, and two that did so in different orders would wait for each other.
 */
const insert = `
  insert into events (id, workspace_id, public_id, type_id, data, occurred_at, created_at, deliveries_count, fanned_out_after, is_test)
  select n.id, n.workspace_id, n.public_id, n.type_id, n.data, n.occurred_at, n.now, n.deliveries, n.fanned_out_after, 0
  from (
    select nextval('events_id_seq') as id, t.*
    from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::int[], $8::bigint[])
      with ordinality as t (workspace_id, public_id, type_id, data, occurred_at, now, deliveries, fanned_out_after, place)
    order by t.place
  ) n
  order by n.workspace_id, n.public_id
  on conflict (workspace_id, public_id) do nothing
  returning id, workspace_id, public_id`;

/** Stores the events whose ids are new, the first of each id. Answers their rows by `keyOf`. */
export async function storeEvents(
  trx: Transaction,
  types: TypeIds,
  batches: AcceptBatch[],
): Promise<Map<string, number>> {
  const rows = batches.flatMap(({ workspaceId, events, now }) =>
    firstOfEachId(events).map((event) => ({ workspaceId, event, now })),
  );
  const made = await trx.query<{ id: number; workspace_id: number; public_id: string }>(insert, [
    rows.map(({ workspaceId }) => workspaceId),
    rows.map(({ event }) => event.publicId),
    rows.map(({ event }) => types.of(event.type)),
    rows.map(({ event }) => event.data),
    rows.map(({ event }) => event.occurredAt),
    rows.map(({ now }) => now),
    rows.map(({ event }) => event.endpointIds.length),
    rows.map(({ event }) => (event.fanOutNow ? null : 0)),
  ]);
  return new Map(made.map((row) => [keyOf(row.workspace_id, row.public_id), row.id]));
}

const read = `
  select e.workspace_id, e.public_id, t.name as type, e.data, e.deliveries_count as deliveries
  from unnest($1::bigint[], $2::text[]) as k (workspace_id, public_id)
    join events e on e.workspace_id = k.workspace_id and e.public_id = k.public_id
    join type_names t on t.id = e.type_id`;

/** The events whose ids were taken before, by `keyOf`. */
export async function readStored(
  trx: Transaction,
  batches: AcceptBatch[],
  made: Map<string, number>,
): Promise<Map<string, StoredEvent>> {
  const taken = batches.flatMap(({ workspaceId, events }) =>
    events
      .map(({ publicId }) => ({ workspaceId, publicId }))
      .filter((one) => !made.has(keyOf(one.workspaceId, one.publicId))),
  );
  if (taken.length === 0) return new Map();
  const rows = await trx.query<StoredEvent & { workspace_id: number; public_id: string }>(read, [
    taken.map(({ workspaceId }) => workspaceId),
    taken.map(({ publicId }) => publicId),
  ]);
  const stored = new Map(rows.map((row) => [keyOf(row.workspace_id, row.public_id), row]));
  if (taken.some(({ workspaceId, publicId }) => !stored.has(keyOf(workspaceId, publicId)))) {
    // Pruned between the two statements: the id is free again, and a new transaction finds it so.
    throw Object.assign(new Error('an event vanished while its id was compared'), { code: '40001' });
  }
  return stored;
}
