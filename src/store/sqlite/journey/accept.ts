import type { Database } from 'better-sqlite3';
import type { AcceptBatch, AcceptResult, FanOutStep, NewEvent } from '../../../core/ports/journey-store.ts';
import { sameEvent } from '../../same-event.ts';
import { deliveryState } from '../../tables.ts';
import type { Marks } from './marks.ts';
import type { TypeNames } from './type-names.ts';

interface StoredEvent {
  type_id: number;
  data: string | null;
  deliveries_count: number;
}

/** Stores events with their deliveries. */
export function makeAccept(db: Database, types: TypeNames, marks: Marks) {
  const version = db.prepare<[number], number>('select version from workspaces where id = ?').pluck();
  const insertEvent = db.prepare(
    `insert into events (workspace_id, public_id, type_id, data, occurred_at, created_at, deliveries_count, fanned_out_after, is_test)
     values (?, ?, ?, ?, ?, ?, ?, ?, 0) on conflict (workspace_id, public_id) do nothing`,
  );
  const stored = db.prepare<[number, string], StoredEvent>(
    'select type_id, data, deliveries_count from events where workspace_id = ? and public_id = ?',
  );
  const insertDelivery = db.prepare(
    `insert into deliveries (workspace_id, event_id, endpoint_id, state, due_at, attempts, steps, interruptions, created_at)
     values (?, ?, ?, ${deliveryState.pending}, ?, 0, 0, 0, ?) on conflict (event_id, endpoint_id) do nothing`,
  );
  const fannedOutAfter = db
    .prepare<[number], number | null>('select fanned_out_after from events where id = ?')
    .pluck();
  const setFannedOut = db.prepare('update events set fanned_out_after = ? where id = ?');

  function owe(workspaceId: number, eventId: number, endpointIds: number[], now: number): void {
    for (const endpointId of endpointIds) {
      const { changes } = insertDelivery.run(workspaceId, eventId, endpointId, now, now);
      if (changes === 0) continue;
      marks.owe(endpointId, 1);
      marks.due(endpointId, now);
    }
  }

  /** How the event is answered, or null when its id is taken by another. */
  function acceptOne(batch: AcceptBatch, event: NewEvent): { deliveries: number; repeated: boolean } | null {
    const { workspaceId, now } = batch;
    const deliveries = event.endpointIds.length;
    const { changes, lastInsertRowid } = insertEvent.run(
      workspaceId,
      event.publicId,
      types.idOf(event.type),
      event.data,
      event.occurredAt,
      now,
      deliveries,
      event.fanOutNow ? null : 0,
    );
    if (changes === 1) {
      if (event.fanOutNow) owe(workspaceId, Number(lastInsertRowid), event.endpointIds, now);
      return { deliveries, repeated: false };
    }
    const first = stored.get(workspaceId, event.publicId) as StoredEvent;
    const same = sameEvent({ type: types.nameOf(first.type_id), data: first.data }, event);
    return same ? { deliveries: first.deliveries_count, repeated: true } : null;
  }

  return {
    accept(batch: AcceptBatch): AcceptResult {
      if (version.get(batch.workspaceId) !== batch.matchableVersion) return { outcome: 'stale' };
      const events: { deliveries: number; repeated: boolean }[] = [];
      // An array is taken whole or not at all, without costing the others of the group their transaction.
      const whole = batch.events.length > 1;
      if (whole) {
        marks.write();
        db.exec('savepoint accept');
      }
      for (const [index, event] of batch.events.entries()) {
        const answer = acceptOne(batch, event);
        if (answer === null) {
          if (whole) {
            db.exec('rollback to accept; release accept');
            types.forget();
            marks.forget();
          }
          return { outcome: 'conflict', index };
        }
        events.push(answer);
      }
      if (whole) db.exec('release accept');
      return { outcome: 'stored', events };
    },

    fanOut(step: FanOutStep): boolean {
      if (version.get(step.workspaceId) !== step.matchableVersion) return false;
      if (fannedOutAfter.get(step.eventId) !== step.fromEndpointId) return true;
      owe(step.workspaceId, step.eventId, step.endpointIds, step.now);
      setFannedOut.run(step.afterEndpointId, step.eventId);
      return true;
    },
  };
}
