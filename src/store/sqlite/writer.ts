import { parentPort, workerData } from 'node:worker_threads';
import type { HealthLimits } from '../../core/rules/health.ts';
import type { Outcome } from '../group-commit.ts';
import type { JourneyOp, JourneyResult } from '../journey-op.ts';
import { openWriter } from './connection.ts';
import { makeRunGroup } from './journey/run-group.ts';
import { packOutcomes, unpackGroup } from './packing.ts';
import type { WriterFault, WriterReply, WriterRequest } from './messages.ts';

/**
 * The writer's thread: the one connection of this process that writes. It answers each message with one reply, in order.
 * Here the disk may take its time; the event loop of the main thread never waits for it.
 */
if (parentPort === null) throw new Error('writer.ts is started as a worker thread only');
const port = parentPort;
const { path, limits } = workerData as { path: string; limits: HealthLimits };

let reply: (request: WriterRequest) => WriterReply;
try {
  reply = makeReply();
  port.postMessage({ kind: 'done' });
} catch (error) {
  port.postMessage({ kind: 'failed', error: fault(error) });
}
port.on('message', (request: WriterRequest) => {
  port.postMessage(safely(request));
  if (request.kind === 'close') port.close();
});

function safely(request: WriterRequest): WriterReply {
  try {
    return reply(request);
  } catch (error) {
    return { kind: 'failed', error: fault(error) };
  }
}

function makeReply(): (request: WriterRequest) => WriterReply {
  const db = openWriter(path);
  const runGroup = makeRunGroup(db, limits);
  const group = (ops: JourneyOp[]): WriterReply => ({
    kind: 'group',
    ...packOutcomes(ops, runGroup(ops).map(withFault)),
  });
  return (request) => {
    switch (request.kind) {
      case 'group':
        return group(unpackGroup(request));
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

function withFault(outcome: Outcome<JourneyResult>): Outcome<JourneyResult> {
  return outcome.ok ? outcome : { ok: false, error: fault(outcome.error) };
}

function fault(error: unknown): WriterFault {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
  return { code, message: error instanceof Error ? error.message : String(error) };
}
