import { deliveryState } from '../../tables.ts';
import type { Transaction } from '../transaction.ts';
import { type Mark, mark } from './marks.ts';

/** Events with the endpoints that each is owed to from `now` on. */
export interface Owed {
  workspaceId: number;
  eventId: number;
  endpointIds: number[];
  now: number;
}

const insert = `
  insert into deliveries (workspace_id, event_id, endpoint_id, state, due_at, attempts, steps, interruptions, created_at)
  select t.workspace_id, t.event_id, t.endpoint_id, ${deliveryState.pending}, t.now, 0, 0, 0, t.now
  from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) as t (workspace_id, event_id, endpoint_id, now)
  on conflict (event_id, endpoint_id) do nothing
  returning endpoint_id, due_at`;

/** Makes the deliveries that do not exist yet, and marks their endpoints. */
export async function owe(trx: Transaction, owed: Owed[]): Promise<void> {
  const rows = owed.flatMap(({ workspaceId, eventId, endpointIds, now }) =>
    endpointIds.map((endpointId) => ({ workspaceId, eventId, endpointId, now })),
  );
  if (rows.length === 0) return;
  const made = await trx.query<{ endpoint_id: number; due_at: number }>(insert, [
    rows.map(({ workspaceId }) => workspaceId),
    rows.map(({ eventId }) => eventId),
    rows.map(({ endpointId }) => endpointId),
    rows.map(({ now }) => now),
  ]);
  const marks = new Map<number, Mark & { dueAt: number }>();
  for (const { endpoint_id: endpointId, due_at: dueAt } of made) {
    const known = marks.get(endpointId);
    if (known === undefined) {
      marks.set(endpointId, { endpointId, owed: 1, dueAt });
    } else {
      known.owed++;
      known.dueAt = Math.min(known.dueAt, dueAt);
    }
  }
  await mark(trx, [...marks.values()]);
}
