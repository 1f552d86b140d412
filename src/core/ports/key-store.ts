import type { Scope } from '../vocabulary.ts';

/** Workspaces and keys. The only queries without a workspace are those that find out which one. */
export interface KeyStore {
  find(hash: Buffer): Promise<KeyRecord | null>;
  touch(id: number, now: number): Promise<void>;
  insert(key: NewKey): Promise<KeyRecord>;
  list(workspaceId: number, before: number | undefined, limit: number): Promise<KeyRecord[]>;
  /** The key itself, the key that made it, and so on up. */
  lineage(id: number): Promise<number[]>;
  revoke(workspaceId: number, publicId: string, now: number): Promise<KeyRecord | null>;
  count(): Promise<number>;
  workspaces(): Promise<WorkspaceRecord[]>;
  /** The workspace of that name, made when it is missing. */
  ensureWorkspace(name: string, publicId: string, now: number): Promise<WorkspaceRecord>;
  /** Stores `check` at the first call; answers what was stored first. */
  secretKeyCheck(check: Buffer): Promise<Buffer>;
}

export interface KeyRecord {
  id: number;
  publicId: string;
  workspaceId: number;
  name: string;
  scopes: Scope[];
  last4: string;
  createdByKeyId: number | null;
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
  revokedAt: number | null;
}

export interface NewKey {
  publicId: string;
  workspaceId: number;
  name: string;
  scopes: Scope[];
  hash: Buffer;
  last4: string;
  createdByKeyId: number | null;
  expiresAt: number | null;
  now: number;
}

export interface WorkspaceRecord {
  id: number;
  publicId: string;
  name: string;
  createdAt: number;
}
