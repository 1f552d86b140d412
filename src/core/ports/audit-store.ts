import type { Principal } from '../types.ts';
import type { AuditAction, FaceName, PrincipalKind } from '../vocabulary.ts';

/** Who makes one change, and what the audit log calls it. One author for each use case that is performed. */
export interface Author {
  action: AuditAction;
  principal: Pick<Principal, 'kind' | 'keyId' | 'name' | 'via'>;
  now: number;
}

/** What a change did to what it names. Nothing secret is in it: see rules/audited.ts. */
export interface AuditEntry {
  workspaceId: number;
  /** The public id, or the name of an event type. */
  target: string;
  before: AuditFacts | null;
  after: AuditFacts | null;
}
export type AuditFacts = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** One row of a workspace's chain. */
export interface AuditRecord {
  /** 1 for the workspace's first row, and no gaps. */
  seq: number;
  at: number;
  action: AuditAction;
  target: string;
  principalKind: PrincipalKind;
  /** The public id of the key; null when it was none. */
  principalKeyId: string | null;
  principalName: string;
  face: FaceName;
  client: string | null;
  /** JSON text. */
  before: string | null;
  after: string | null;
}
export interface ChainedRecord extends AuditRecord {
  hash: Buffer;
}

/** Where a workspace's chain ends, kept apart from its rows so that a missing end shows. */
export interface ChainHead {
  workspaceId: number;
  workspacePublicId: string;
  workspaceName: string;
  count: number;
  hash: Buffer;
}

export interface AuditQuery {
  action?: AuditAction | undefined;
  target?: string | undefined;
  principalKeyId?: string | undefined;
  face?: FaceName | undefined;
  since?: number | undefined;
  until?: number | undefined;
  before?: number | undefined;
  limit: number;
}

/** Reads what changes have written; nothing else writes there, and nothing deletes. */
export interface AuditStore {
  list(workspaceId: number, query: AuditQuery): Promise<ChainedRecord[]>;
  /** The rows behind `afterSeq` in the order of the chain. */
  chain(workspaceId: number, afterSeq: number, limit: number): Promise<ChainedRecord[]>;
  /** Of every workspace, in the order in which they were made. */
  heads(): Promise<ChainHead[]>;
}
