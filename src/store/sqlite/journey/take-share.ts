import type { Database } from 'better-sqlite3';
import type { Share } from '../../../core/ports/journey-store.ts';
import { givingWay } from '../../../core/rules/give-way.ts';
import { deliveryState } from '../../tables.ts';

/** Of an endpoint's newest due deliveries, so many for each first attempt that is looked for. */
const lookedAtPerFirst = 4;

export interface DueRow {
  id: number;
  event_id: number;
  attempts: number;
  steps: number;
  due_at: number;
}

/**
 * Leases one endpoint's share: longest due first, but that of many retries some give way to first attempts.
 * `+?` hides a value from SQLite's planner, which looks at limits, and at what an ordered index is compared with, and then
 * compiles the statement anew at every run: five times the cost of running it.
 */
export function makeTakeShare(db: Database): (workerId: number, share: Share, now: number) => DueRow[] {
  // All of a share in one statement, and its events in another: calls into the database cost as much as the rows.
  const take = db.prepare<[number, number, number, number], DueRow>(
    `update deliveries set state = ${deliveryState.leased}, worker_id = ? where id in (
       select id from deliveries where endpoint_id = +? and state = ${deliveryState.pending} and due_at <= ? order by due_at limit +?
     ) returning id, event_id, attempts, steps, due_at`,
  );
  const takeFirst = db.prepare<[number, number, number, number, number], DueRow>(
    `update deliveries set state = ${deliveryState.leased}, worker_id = ? where id in (
       select id from (
         select id, attempts from deliveries where endpoint_id = +? and state = ${deliveryState.pending} and due_at <= ?
         order by due_at desc limit +?
       ) where attempts = 0 limit +?
     ) returning id, event_id, attempts, steps, due_at`,
  );
  const release = db.prepare(`update deliveries set state = ${deliveryState.pending}, worker_id = null where id = ?`);
  return (workerId, { endpointId, count }, now) => {
    const taken = take.all(workerId, endpointId, now, count).sort(byDueAt);
    const giving = givingWay(taken, count, now);
    if (giving.length === 0) return taken;
    const first = takeFirst.all(workerId, endpointId, now, giving.length * lookedAtPerFirst, giving.length);
    const released = new Set(giving.slice(giving.length - first.length));
    for (const { id } of released) release.run(id);
    return [...taken.filter((row) => !released.has(row)), ...first].sort(byDueAt);
  };
}

function byDueAt(a: DueRow, b: DueRow): number {
  return a.due_at - b.due_at || a.id - b.id;
}
