import type { Database } from 'better-sqlite3';
import type { HealthLimits } from '../../../core/rules/health.ts';
import type { Outcome } from '../../group-commit.ts';
import type { JourneyOp, JourneyResult } from '../../journey-op.ts';
import { makeOperations } from './operations.ts';

/**
 * Runs operations of the journey as one transaction. When one of them fails, each is tried in a transaction of its own,
 * so that a bad one costs only itself.
 */
export function makeRunGroup(db: Database, limits: HealthLimits): (ops: JourneyOp[]) => Outcome<JourneyResult>[] {
  const operations = makeOperations(db, limits);
  const begin = db.prepare('begin immediate');
  const commit = db.prepare('commit');
  const rollback = db.prepare('rollback');

  return function runGroup(ops): Outcome<JourneyResult>[] {
    try {
      begin.run();
    } catch (error) {
      // Another process holds the file, and each by itself would wait for it as long again.
      return ops.map(() => ({ ok: false, error }));
    }
    try {
      const outcomes = operations.run(ops).map((value) => ({ ok: true as const, value }));
      operations.finish();
      commit.run();
      return outcomes;
    } catch (error) {
      if (db.inTransaction) rollback.run();
      operations.forget();
      return ops.length === 1 ? [{ ok: false, error }] : ops.flatMap((op) => runGroup([op]));
    }
  };
}
