import type { Database } from 'better-sqlite3';
import type { HealthLimits } from '../../../core/rules/health.ts';
import type { JourneyOp, JourneyResult } from '../../journey-op.ts';
import type { SettleOp } from '../packing.ts';
import { makeAccept } from './accept.ts';
import { makeLease } from './lease.ts';
import { makeMarks } from './marks.ts';
import { makeRecordTest, makeSettle, makeWriteAttempt } from './settle.ts';
import { makeTypeNames } from './type-names.ts';
import { makeWorkers } from './workers.ts';

/** The operations of the journey on one connection, inside a transaction that somebody else begins and ends. */
export interface Operations {
  run(ops: JourneyOp[]): JourneyResult[];
  /** What was gathered on the way, to be written before the commit. */
  finish(): void;
  /** After a rollback. */
  forget(): void;
}

export function makeOperations(db: Database, limits: HealthLimits): Operations {
  const types = makeTypeNames(db);
  const marks = makeMarks(db);
  const write = makeWriteAttempt(db);
  const { accept, fanOut } = makeAccept(db, types, marks);
  const lease = makeLease(db, types, marks);
  const settle = makeSettle(db, types, marks, write, limits);
  const recordTest = makeRecordTest(db, types, marks, write);
  const workers = makeWorkers(db, marks, write);

  function one(op: Exclude<JourneyOp, SettleOp>): JourneyResult {
    switch (op.kind) {
      case 'accept':
        return accept(op.batch);
      case 'lease':
        return lease(op.workerId, op.shares, op.now);
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

  return {
    run(ops) {
      const results: JourneyResult[] = [];
      for (let op = ops[0]; op !== undefined; op = ops[results.length]) {
        if (op.kind !== 'settle') results.push(one(op));
        else results.push(...settleTogether(settle, settlesFrom(ops, results.length, op.workerId), op.workerId));
      }
      return results;
    },
    finish: () => marks.write(),
    forget() {
      types.forget();
      marks.forget();
    },
  };
}

/** Settlements of one worker that stand side by side are recorded as one: an endpoint's health is then written once. */
function settlesFrom(ops: JourneyOp[], first: number, workerId: number): SettleOp[] {
  const side: SettleOp[] = [];
  for (let op = ops[first]; op?.kind === 'settle' && op.workerId === workerId; op = ops[first + side.length]) {
    side.push(op);
  }
  return side;
}

function settleTogether(settle: ReturnType<typeof makeSettle>, ops: SettleOp[], workerId: number): boolean[][] {
  const held = settle(
    workerId,
    ops.flatMap(({ settlements }) => settlements),
  );
  let end = 0;
  return ops.map(({ settlements }) => {
    const start = end;
    end += settlements.length;
    return held.slice(start, end);
  });
}
