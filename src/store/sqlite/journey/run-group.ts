import type { Database } from 'better-sqlite3';
import type { HealthLimits } from '../../../core/rules/health.ts';
import type { Outcome } from '../../group-commit.ts';
import type { JourneyOp, JourneyResult } from '../../journey-op.ts';
import type { SettleOp } from '../packing.ts';
import { makeAccept } from './accept.ts';
import { makeLease } from './lease.ts';
import { makeMarks } from './marks.ts';
import { makeRecordTest, makeSettle, makeWriteAttempt } from './settle.ts';
import { makeTypeNames } from './type-names.ts';
import { makeWorkers } from './workers.ts';

/**
 * Runs operations of the journey as one transaction. When one of them fails, each is tried in a transaction of its own,
 * so that a bad one costs only itself.
 */
export function makeRunGroup(db: Database, limits: HealthLimits): (ops: JourneyOp[]) => Outcome<JourneyResult>[] {
  const types = makeTypeNames(db);
  const marks = makeMarks(db);
  const write = makeWriteAttempt(db);
  const { accept, fanOut } = makeAccept(db, types, marks);
  const lease = makeLease(db, types, marks);
  const settle = makeSettle(db, types, marks, write, limits);
  const recordTest = makeRecordTest(db, types, marks, write);
  const workers = makeWorkers(db, marks, write);
  const begin = db.prepare('begin immediate');
  const commit = db.prepare('commit');
  const rollback = db.prepare('rollback');

  function run(op: JourneyOp): JourneyResult {
    switch (op.kind) {
      case 'accept':
        return accept(op.batch);
      case 'lease':
        return lease(op.workerId, op.shares, op.now);
      case 'settle':
        return settle(op.workerId, op.settlements);
      case 'giveBack':
        return workers.giveBack(op.workerId, op.deliveryIds, op.dueAt);
      case 'recordTest':
        return recordTest(op.test);
      case 'fanOut':
        return fanOut(op.step);
      case 'registerWorker':
        return workers.register(op.name, op.now);
      case 'beat':
        return workers.beat(op.workerId, op.now);
      case 'retireWorker':
        return workers.retire(op.workerId, op.unsent, op.now);
      case 'reapWorkers':
        return workers.reap(op.silentSince, op.now, op.leasesMax);
    }
  }

  function runAll(ops: JourneyOp[]): JourneyResult[] {
    const results: JourneyResult[] = [];
    for (let op = ops[0]; op !== undefined; op = ops[results.length]) {
      if (op.kind === 'settle') results.push(...settleAll(settlesFrom(ops, results.length, op.workerId), op.workerId));
      else results.push(run(op));
    }
    return results;
  }

  function settleAll(ops: SettleOp[], workerId: number): boolean[][] {
    const held = settle(
      workerId,
      ops.flatMap(({ settlements }) => settlements),
    );
    let end = 0;
    return ops.map(({ settlements }) => held.slice(end, (end += settlements.length)));
  }

  return function runGroup(ops): Outcome<JourneyResult>[] {
    try {
      begin.run();
    } catch (error) {
      // Another process holds the file, and each by itself would wait for it as long again.
      return ops.map(() => ({ ok: false, error }));
    }
    try {
      const outcomes = runAll(ops).map((value) => ({ ok: true as const, value }));
      marks.write();
      commit.run();
      return outcomes;
    } catch (error) {
      if (db.inTransaction) rollback.run();
      types.forget();
      marks.forget();
      return ops.length === 1 ? [{ ok: false, error }] : ops.flatMap((op) => runGroup([op]));
    }
  };
}

/** Settlements of one worker that stand side by side are recorded as one: an endpoint's health is then written once. */
function settlesFrom(ops: JourneyOp[], first: number, workerId: number): SettleOp[] {
  const side: SettleOp[] = [];
  for (let op = ops[first]; op?.kind === 'settle' && op.workerId === workerId; op = ops[first + side.length])
    side.push(op);
  return side;
}
