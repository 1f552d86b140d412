import type { Database } from 'better-sqlite3';
import type { LeasedBatch, LeasedDelivery, Share } from '../../../core/ports/journey-store.ts';
import { deliveryState, endpointStatus } from '../../tables.ts';
import type { Marks } from './marks.ts';
import { type DueRow, makeTakeShare } from './take-share.ts';
import type { TypeNames } from './type-names.ts';

interface EndpointRow {
  workspace_id: number;
  version: number;
  held_until: number | null;
}
interface EventRow {
  id: number;
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
  const takeShare = makeTakeShare(db);
  const cancel = db.prepare(`update deliveries set state = ${deliveryState.canceled}, worker_id = null where id = ?`);
  const readEvents = db.prepare<[string], EventRow>(
    'select id, public_id, type_id, data, occurred_at from events where id in (select value from json_each(?))',
  );
  const nextDue = db
    .prepare<[number], number | null>(
      `select min(due_at) from deliveries where endpoint_id = +? and state = ${deliveryState.pending}`,
    )
    .pluck();
  const alive = db.prepare<[number], number>('select 1 from workers where id = ?').pluck();
  const mark = db.prepare('update endpoints set next_due_at = ? where id = ?');

  function leaseShare(workerId: number, share: Share, now: number, batch: LeasedBatch): void {
    const row = endpoint.get(share.endpointId, now);
    if (row === undefined) return;
    const taken = takeShare(workerId, share, now);
    addEvents(taken, batch);
    for (const found of taken) {
      if (batch.events.has(found.event_id)) {
        batch.deliveries.push(leased(share.endpointId, row, found));
        continue;
      }
      // Erased while an attempt was under way: there is nothing left to send.
      cancel.run(found.id);
      marks.owe(share.endpointId, -1);
    }
    const next = nextDue.get(share.endpointId) ?? null;
    // More is due already: "now" instead of its own time sends the endpoint to the end of the queue. That is what makes
    // claiming go round, and why a backlog does not starve an endpoint whose first delivery became due a moment ago.
    mark.run(next === null ? null : Math.max(next, now), share.endpointId);
  }

  /** Those whose payload is erased are left out. */
  function addEvents(taken: DueRow[], batch: LeasedBatch): void {
    const missing = new Set(taken.map((row) => row.event_id).filter((id) => !batch.events.has(id)));
    if (missing.size === 0) return;
    for (const { id, public_id: publicId, type_id, data, occurred_at: occurredAt } of readEvents.all(
      JSON.stringify([...missing]),
    )) {
      if (data !== null) batch.events.set(id, { publicId, type: types.nameOf(type_id), data, occurredAt });
    }
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
