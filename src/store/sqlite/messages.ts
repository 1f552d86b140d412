import type { Outcome } from '../group-commit.ts';
import type { JourneyOp, JourneyResult } from '../journey-op.ts';
import type { PackedLease, PackedSettles, SettleOp } from './packing.ts';

/** What the main thread asks of the writer thread. Each request is answered by one reply, in order. */
export type WriterRequest =
  | ({ kind: 'group' } & PackedGroup)
  | { kind: 'begin' }
  | { kind: 'query'; sql: string; parameters: readonly unknown[] }
  | { kind: 'commit' }
  | { kind: 'rollback' }
  | { kind: 'close' };

/** The operations of one transaction. Null stands where the next of `settles` belongs. */
export interface PackedGroup {
  ops: (Exclude<JourneyOp, SettleOp> | null)[];
  settles: PackedSettles;
}

/** `settled`: as many of `held` as the operation has settlements, 1 where the lease was held. */
export type PackedOutcome =
  | { kind: 'settled'; count: number }
  | { kind: 'leased'; batch: PackedLease }
  | { kind: 'other'; outcome: Outcome<JourneyResult> };

export interface QueryRows {
  rows: unknown[];
  changes: number;
  insertId: number | bigint | null;
}

export type WriterReply =
  | { kind: 'group'; outcomes: PackedOutcome[]; held: Uint8Array }
  | { kind: 'rows'; result: QueryRows }
  | { kind: 'done' }
  | { kind: 'failed'; error: WriterFault };

/** An error as it crosses threads: classes do not survive the way. `code` is SQLite's, where it has one. */
export interface WriterFault {
  code: string | null;
  message: string;
}
