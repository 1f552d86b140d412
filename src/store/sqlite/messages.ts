import type { PackedGroup, PackedOutcomes } from './packing.ts';

/** What the main thread asks of the writer thread. Each request is answered by one reply, in order. */
export type WriterRequest =
  | ({ kind: 'group' } & PackedGroup)
  /** Fails where the disk is nearly full. */
  | { kind: 'room' }
  | { kind: 'begin' }
  | { kind: 'query'; sql: string; parameters: readonly unknown[] }
  | { kind: 'commit' }
  | { kind: 'rollback' }
  | { kind: 'close' };

export interface QueryRows {
  rows: unknown[];
  changes: number;
  insertId: number | bigint | null;
}

export type WriterReply =
  | ({ kind: 'group' } & PackedOutcomes)
  | { kind: 'rows'; result: QueryRows }
  | { kind: 'done' }
  | { kind: 'failed'; error: WriterFault };

/** An error as it crosses threads: classes do not survive the way. `code` is SQLite's, where it has one. */
export interface WriterFault {
  code: string | null;
  message: string;
}
