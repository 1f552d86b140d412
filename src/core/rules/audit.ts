import { createHash } from 'node:crypto';
import type { AuditRecord, ChainedRecord, ChainHead } from '../ports/audit-store.ts';

/** What a chain's first row follows. */
export const chainStart: Readonly<ChainLink> = { seq: 0, hash: Buffer.alloc(32) };

/** A row that was found whole, or the start. */
export interface ChainLink {
  seq: number;
  hash: Buffer;
}

/** The first row at which a chain is not what was written. */
export interface ChainFault {
  seq: number;
  fault: 'missing' | 'changed' | 'added';
}

/**
 * SHA-256 over the previous row's hash and the row's canonical form: a JSON array of the form's number and every field in
 * a fixed order, with the workspace, so that a row fits one place of one chain only.
 */
export function linkHash(previous: Buffer, workspace: string, row: AuditRecord): Buffer {
  const { seq, at, action, target, principalKind, principalKeyId, principalName, face, client, before, after } = row;
  const who = [principalKind, principalKeyId, principalName, face, client];
  const canonical = JSON.stringify([1, workspace, seq, at, action, target, ...who, before, after]);
  return createHash('sha256').update(previous).update(canonical).digest();
}

/** The link of a row behind the link before it, or what is wrong there. */
export function nextLink(previous: ChainLink, workspace: string, row: ChainedRecord): ChainLink | ChainFault {
  const seq = previous.seq + 1;
  if (row.seq !== seq) return { seq, fault: 'missing' };
  return linkHash(previous.hash, workspace, row).equals(row.hash) ? { seq, hash: row.hash } : { seq, fault: 'changed' };
}

/** Whether the rows end where the workspace says; null when they do. `head` was read after the last row. */
export function endFault(last: ChainLink, head: Pick<ChainHead, 'count' | 'hash'>): ChainFault | null {
  if (head.count > last.seq) return { seq: last.seq + 1, fault: 'missing' };
  if (head.count < last.seq) return { seq: head.count + 1, fault: 'added' };
  return head.hash.equals(last.hash) ? null : { seq: last.seq, fault: 'changed' };
}
