import type { Database } from 'better-sqlite3';
import type { AttemptFacts } from '../../../core/ports/journey-store.ts';
import { interruptionsMax } from '../../../core/rules/retry.ts';
import { deliveryState, endpointStatus, errorCode } from '../../tables.ts';
import type { Marks } from './marks.ts';
import type { makeWriteAttempt } from './settle.ts';

interface HeldRow {
  id: number;
  workspace_id: number;
  endpoint_id: number;
  type_id: number;
  attempts: number;
  interruptions: number;
  endpoint_version: number;
  endpoint_status: number;
}

/** Processes that deliver: their heartbeat, and what becomes of the leases of one that is gone. */
export function makeWorkers(db: Database, marks: Marks, write: ReturnType<typeof makeWriteAttempt>) {
  const insert = db.prepare('insert into workers (name, beat_at, started_at) values (?, ?, ?)');
  const beat = db.prepare('update workers set beat_at = ? where id = ?');
  const silent = db.prepare<[number], number>('select id from workers where beat_at < ? order by id').pluck();
  const remove = db.prepare('delete from workers where id = ?');
  const release = db.prepare<[number, number, number, number], { endpoint_id: number; state: number }>(
    `update deliveries set worker_id = null, due_at = max(due_at, ?),
       state = case (select status from endpoints where id = endpoint_id) when ${endpointStatus.deleted} then ? else ${deliveryState.pending} end
     where id = ? and worker_id = ? and state = ${deliveryState.leased} returning endpoint_id, state`,
  );
  const held = db.prepare<[number, number], HeldRow>(
    `select d.id, d.workspace_id, d.endpoint_id, e.type_id, d.attempts, d.interruptions, p.version as endpoint_version,
       p.status as endpoint_status
     from deliveries d join events e on e.id = d.event_id join endpoints p on p.id = d.endpoint_id
     where d.worker_id = +? and d.state = ${deliveryState.leased} limit +?`,
  );
  const interrupt = db.prepare(
    `update deliveries set state = ?, due_at = ?, attempts = attempts + 1, interruptions = interruptions + 1, last_error = ?, worker_id = null
     where id = ?`,
  );

  function interruptOne(row: HeldRow, now: number): void {
    const worn = row.interruptions + 1 > interruptionsMax;
    const deleted = row.endpoint_status === endpointStatus.deleted;
    const state = deleted ? deliveryState.canceled : worn ? deliveryState.failed : deliveryState.pending;
    const again = state === deliveryState.pending;
    interrupt.run(state, now, errorCode('interrupted'), row.id);
    const facts: AttemptFacts = {
      startedAt: now,
      durationMs: 0,
      responseCode: null,
      error: 'interrupted',
      excerpt: null,
    };
    write(
      {
        workspaceId: row.workspace_id,
        endpointId: row.endpoint_id,
        endpointVersion: row.endpoint_version,
        deliveryId: row.id,
        typeId: row.type_id,
        attempt: row.attempts + 1,
        nextAttemptAt: again ? now : null,
        isTest: false,
      },
      facts,
    );
    if (again) marks.due(row.endpoint_id, now);
    else marks.owe(row.endpoint_id, -1);
  }

  function giveBack(workerId: number, deliveryIds: number[], dueAt: number): null {
    for (const id of deliveryIds) {
      const row = release.get(dueAt, deliveryState.canceled, id, workerId);
      if (row === undefined) continue;
      if (row.state === deliveryState.pending) marks.due(row.endpoint_id, dueAt);
      else marks.owe(row.endpoint_id, -1);
    }
    return null;
  }

  /** Interrupts up to `leasesMax` of a worker's leases; forgets the worker once it holds none. */
  function interruptWorker(workerId: number, now: number, leasesMax: number): number {
    const rows = held.all(workerId, leasesMax);
    for (const row of rows) interruptOne(row, now);
    if (rows.length < leasesMax) remove.run(workerId);
    return rows.length;
  }

  return {
    register: (name: string, now: number): number => Number(insert.run(name, now, now).lastInsertRowid),
    giveBack,
    beat: (workerId: number, now: number): boolean => beat.run(now, workerId).changes === 1,
    retire(workerId: number, unsent: number[], now: number): null {
      giveBack(workerId, unsent, now);
      interruptWorker(workerId, now, Number.MAX_SAFE_INTEGER);
      return null;
    },
    reap(silentSince: number, now: number, leasesMax: number): number {
      let freed = 0;
      for (const workerId of silent.all(silentSince)) {
        if (freed >= leasesMax) break;
        freed += interruptWorker(workerId, now, leasesMax - freed);
      }
      return freed;
    },
  };
}
