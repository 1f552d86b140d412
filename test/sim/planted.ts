/** A bug that the simulation has to find: one place of the program changed. The program itself knows nothing of it. */
export interface Planted {
  name: string;
  file: string;
  /** Stands in the file once. */
  text: string;
  becomes: string;
}

const settle = 'src/store/sqlite/journey/settle.ts';
const lease = 'src/store/sqlite/journey/lease.ts';
const accept = 'src/store/sqlite/journey/accept.ts';
const workers = 'src/store/sqlite/journey/workers.ts';
const deliveries = 'src/store/manage/deliveries.ts';
const replay = 'src/store/manage/replay.ts';
const worker = 'src/core/journey/worker.ts';
const heart = 'src/core/journey/heart.ts';

export const planted: Planted[] = [
  {
    name: 'a settle does not ask whose lease it is',
    file: settle,
    text: 'where id = ? and worker_id = ? and state = ${deliveryState.leased} and attempts = ?`',
    becomes: 'where id = ? and ? > 0 and ? >= 0`',
  },
  {
    name: 'a settle repeated after its answer was lost takes the next lease of the same worker',
    file: settle,
    text: '${deliveryState.leased} and attempts = ?`',
    becomes: '${deliveryState.leased} and ? >= 0`',
  },
  {
    name: 'a settle commits the delivery apart from its row in the log',
    file: settle,
    text: 'if (changes === 0) return false;',
    becomes: "if (changes === 0) return false; db.exec('commit; begin immediate');",
  },
  {
    name: 'a settle that the database did not take is not repeated',
    file: 'src/core/journey/recorder.ts',
    text: 'if (!this.#events.isCurrent(workerId)) return;',
    becomes: 'if (passing || !this.#events.isCurrent(workerId)) return;',
  },
  {
    name: 'what a worker that died had in flight is due again without being noted',
    file: workers,
    text: "error: 'interrupted',\n      excerpt: null,\n    };\n    write(",
    becomes: "error: 'interrupted',\n      excerpt: null,\n    };\n    if (now < 0) write(",
  },
  {
    name: 'a wake while claiming is under way is lost',
    file: worker,
    text: '    this.#again = true;\n    this.#pumping ??=',
    becomes: '    this.#again = this.#pumping === null;\n    this.#pumping ??=',
  },
  {
    name: 'a claim clears the mark although more will be due',
    file: lease,
    text: 'mark.run(next === null ? null : Math.max(next, now), share.endpointId);',
    becomes: 'mark.run(next === null || next > now ? null : now, share.endpointId);',
  },
  {
    name: 'an interruption uses up a step of the schedule',
    file: workers,
    text: 'interruptions = interruptions + 1,',
    becomes: 'interruptions = interruptions + 1, steps = steps + 1,',
  },
  {
    name: 'a dead worker is forgotten while it still holds leases',
    file: workers,
    text: 'if (rows.length < leasesMax) remove.run(workerId);',
    becomes: 'remove.run(workerId);',
  },
  {
    name: 'what is given back is not marked as due',
    file: workers,
    text: 'if (row.state === deliveryState.pending) marks.due(row.endpoint_id, dueAt);\n      else marks.owe(row.endpoint_id, -1);',
    becomes: 'if (row.state !== deliveryState.pending) marks.owe(row.endpoint_id, -1);',
  },
  {
    name: 'a process that was paused past its lease does not look at the answer to its heartbeat',
    file: heart,
    text: 'if (await store.journey.beat(workerId, now)) {',
    becomes: 'if ((await store.journey.beat(workerId, now)) || now > 0) {',
  },
  {
    name: 'publishing does not compare the version that it matched with',
    file: accept,
    text: "if (version.get(batch.workspaceId) !== batch.matchableVersion) return { outcome: 'stale' };",
    becomes: '',
  },
  {
    name: 'another event under a known id counts as the same',
    file: accept,
    text: 'return same ? { deliveries',
    becomes: 'return same || true ? { deliveries',
  },
  {
    name: 'an array with a conflict leaves its first events behind',
    file: accept,
    text: "db.exec('rollback to accept; release accept');",
    becomes: "db.exec('release accept');",
  },
  {
    name: 'a wide event is done with its first step',
    file: accept,
    text: 'setFannedOut.run(step.afterEndpointId, step.eventId);',
    becomes: 'setFannedOut.run(null, step.eventId);',
  },
  {
    name: 'a replay queues what is leased once more',
    file: replay,
    text: '(step.succeeded && state === deliveryState.succeeded)',
    becomes: '(step.succeeded && (state === deliveryState.succeeded || state === deliveryState.leased))',
  },
  {
    name: 'an erasure forgets to count what it cancels',
    file: deliveries,
    text: 'pending_count: sql`pending_count - 1`',
    becomes: 'pending_count: sql`pending_count - 0`',
  },
  {
    name: 'a deletion that a crash cut short is not gone on with',
    file: 'src/store/cancel-owed.ts',
    text: 'if (row === undefined) return null;',
    becomes: 'if (row === undefined || row.id > 0) return null;',
  },
  {
    name: 'a process that stops forgets its worker and not what is under way',
    file: workers,
    text: 'interruptWorker(workerId, now, Number.MAX_SAFE_INTEGER);',
    becomes: 'remove.run(workerId);',
  },
  {
    name: 'an endpoint that was disabled takes part in matching until something else changes',
    file: settle,
    text: 'if (columns.status !== row.status && workspaceId !== undefined)',
    becomes: 'if (columns.status !== row.status && workspaceId === undefined)',
  },
  {
    name: 'a wide event forgets who was paused or disabled before its turn came',
    file: 'src/store/matchable.ts',
    text: 'if (at === undefined) return now;',
    becomes: 'if (at === undefined || at > 0) return now;',
  },
  {
    name: 'a step of a wide event takes its own clock for that of whoever was paused',
    file: 'src/store/manage/bump-version.ts',
    text: 'if (endpointId !== undefined)',
    becomes: 'if (endpointId !== undefined && endpointId < 0)',
  },
];
