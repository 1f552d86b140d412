import type { Database } from 'better-sqlite3';
import type { HealthLimits } from '../../core/rules/health.ts';
import type { Outcome } from '../group-commit.ts';
import type { JourneyOp, JourneyResult } from '../journey-op.ts';
import { makeRunGroup } from './journey/run-group.ts';
import type { WriterFault, WriterReply, WriterRequest } from './messages.ts';
import { packOutcomes, unpackGroup } from './packing.ts';
import { makeRoom } from './room.ts';

/** What the writer's thread does with each request; apart from the thread, so that it can run without one. Never throws. */
export function makeReply(db: Database, limits: HealthLimits): (request: WriterRequest) => WriterReply {
  const reply = makeAnswer(db, limits);
  return (request) => {
    try {
      return reply(request);
    } catch (error) {
      return { kind: 'failed', error: fault(error) };
    }
  };
}

function makeAnswer(db: Database, limits: HealthLimits): (request: WriterRequest) => WriterReply {
  const isRoom = makeRoom(db);
  const runGroup = withReserve(makeRunGroup(db, limits), isRoom);
  const group = (ops: JourneyOp[]): WriterReply => ({
    kind: 'group',
    ...packOutcomes(ops, runGroup(ops).map(withFault)),
  });
  return (request) => {
    switch (request.kind) {
      case 'group':
        return group(unpackGroup(request));
      case 'room':
        if (!isRoom()) throw nearlyFull();
        return { kind: 'done' };
      case 'begin':
        db.exec('begin immediate');
        return { kind: 'done' };
      case 'commit':
        db.exec('commit');
        return { kind: 'done' };
      case 'rollback':
        if (db.inTransaction) db.exec('rollback');
        return { kind: 'done' };
      case 'query': {
        const statement = db.prepare(request.sql);
        if (statement.reader)
          return { kind: 'rows', result: { rows: statement.all(...request.parameters), changes: 0, insertId: null } };
        const { changes, lastInsertRowid } = statement.run(...request.parameters);
        return { kind: 'rows', result: { rows: [], changes, insertId: lastInsertRowid } };
      }
      case 'close':
        db.close();
        return { kind: 'done' };
    }
  };
}

type RunGroup = ReturnType<typeof makeRunGroup>;

/** Where the disk is nearly full, nothing new is owed, and everything else goes on. */
function withReserve(runGroup: RunGroup, isRoom: () => boolean): RunGroup {
  return (ops) => {
    if (!ops.some(takesRoom) || isRoom()) return runGroup(ops);
    const others = ops.filter((op) => !takesRoom(op));
    const outcomes = (others.length === 0 ? [] : runGroup(others)).values();
    return ops.map((op) =>
      takesRoom(op) ? { ok: false, error: nearlyFull() } : (outcomes.next().value as Outcome<JourneyResult>),
    );
  };
}

function takesRoom({ kind }: JourneyOp): boolean {
  return kind === 'accept' || kind === 'fanOut';
}

function nearlyFull(): Error {
  return Object.assign(new Error('the disk is nearly full'), { code: 'SQLITE_FULL' });
}

function withFault(outcome: Outcome<JourneyResult>): Outcome<JourneyResult> {
  return outcome.ok ? outcome : { ok: false, error: fault(outcome.error) };
}

/** An error as it crosses to the main thread. */
export function fault(error: unknown): WriterFault {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
  return { code, message: error instanceof Error ? error.message : String(error) };
}
