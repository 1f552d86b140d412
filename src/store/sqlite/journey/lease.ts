import type { Database } from 'better-sqlite3';
import type { LeasedBatch, LeasedDelivery, Share } from '../../../core/ports.ts';
import { deliveryState, endpointStatus } from '../../tables.ts';
import type { Marks } from './marks.ts';
import type { TypeNames } from './type-names.ts';

interface EndpointRow {
  workspace_id: number;
  version: number;
  held_until: number | null;
}
interface DueRow {
  id: number;
  event_id: number;
  attempts: number;
  steps: number;
}
interface EventRow {
  public_id: string;
  type_id: number;
  data: string | null;
  occurred_at: number;
}

/** Leases due deliveries and leaves each endpoint marked with when to look there next. */
export function makeLease(db: Database, types: TypeNames, marks: Marks) {
  const endpoint = db.prepare<[number, number], EndpointRow>(
    `select workspace_id, version, held_until from endpoints
     where id = ? and status = ${endpointStatus.active} and coalesce(held_until, 0) <= ?`,
  );
  const due = db.prepare<[number, number, number], DueRow>(
    `select id, event_id, attempts, steps from deliveries
     where endpoint_id = ? and state = ${deliveryState.pending} and due_at <= ? order by due_at limit ?`,
  );
  const take = db.prepare(`update deliveries set state = ${deliveryState.leased}, worker_id = ? where id = ?`);
  const cancel = db.prepare(`update deliveries set state = ${deliveryState.canceled} where id = ?`);
  const event = db.prepare<[number], EventRow>('select public_id, type_id, data, occurred_at from events where id = ?');
  const nextDue = db
    .prepare<[number], number | null>(
      `select min(due_at) from deliveries where endpoint_id = ? and state = ${deliveryState.pending}`,
    )
    .pluck();
  const alive = db.prepare<[number], number>('select 1 from workers where id = ?').pluck();
  const mark = db.prepare('update endpoints set next_due_at = ? where id = ?');

  function leaseShare(workerId: number, share: Share, now: number, batch: LeasedBatch): void {
    const row = endpoint.get(share.endpointId, now);
    if (row === undefined) return;
    for (const found of due.all(share.endpointId, now, share.count)) {
      if (!batch.events.has(found.event_id) && !readEvent(found.event_id, batch)) {
        // Erased while an attempt was under way: there is nothing left to send.
        cancel.run(found.id);
        marks.owe(share.endpointId, -1);
        continue;
      }
      take.run(workerId, found.id);
      batch.deliveries.push(leased(share.endpointId, row, found));
    }
    const next = nextDue.get(share.endpointId) ?? null;
    // More is due already: "now" instead of its own time sends the endpoint to the end of the queue. That is what makes
    // claiming go round, and why a backlog does not starve an endpoint whose first delivery became due a moment ago.
    mark.run(next === null ? null : Math.max(next, now), share.endpointId);
  }

  /** False when its payload is erased. */
  function readEvent(id: number, batch: LeasedBatch): boolean {
    const row = event.get(id) as EventRow;
    if (row.data === null) return false;
    const { public_id: publicId, data, occurred_at: occurredAt } = row;
    batch.events.set(id, { publicId, type: types.nameOf(row.type_id), data, occurredAt });
    return true;
  }

  return (workerId: number, shares: Share[], now: number): LeasedBatch => {
    marks.write();
    const batch: LeasedBatch = { deliveries: [], events: new Map() };
    // Once a worker is declared dead, nobody would ever look for what it leases.
    if (alive.get(workerId) === undefined) return batch;
    for (const share of shares) leaseShare(workerId, share, now, batch);
    return batch;
  };
}

function leased(endpointId: number, endpoint: EndpointRow, row: DueRow): LeasedDelivery {
  return {
    id: row.id,
    workspaceId: endpoint.workspace_id,
    endpointId,
    eventId: row.event_id,
    endpointVersion: endpoint.version,
    attempts: row.attempts,
    steps: row.steps,
  };
}
