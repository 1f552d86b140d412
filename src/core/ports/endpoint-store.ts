import type { AttemptError, DisabledReason, EndpointStatus } from '../vocabulary.ts';
import type { AutomationRef } from './automation-store.ts';
import type { FilterErrorCount, FilterErrorNote } from './conditions.ts';

export type EndpointKind = 'subscription' | 'config';

/** An endpoint as it is stored. */
export interface EndpointRecord extends EndpointHealth {
  id: number;
  publicId: string;
  workspaceId: number;
  kind: EndpointKind;
  name: string | null;
  url: string;
  events: string[];
  description: string | null;
  filter: string | null;
  /** Since the filter was set. */
  filterErrors: FilterErrorCount;
  includeData: boolean;
  sealedHeaders: Buffer | null;
  version: number;
  pendingCount: number;
  /** When its next pending delivery is due. */
  nextAttemptAt: number | null;
  /** Null: the operator on this machine; 0: the admin key. */
  createdByKeyId: number | null;
  /** Who chose the host that it has now, where that was not its maker. */
  movedByKeyId: number | null;
  createdAt: number;
  updatedAt: number;
}

export interface EndpointHealth {
  status: EndpointStatus;
  failureCount: number;
  failingSince: number | null;
  lastDeliveredAt: number | null;
  lastAttemptAt: number | null;
  lastError: AttemptError | null;
  lastResponseCode: number | null;
  heldUntil: number | null;
  disabledReason: DisabledReason | null;
  disabledAt: number | null;
}

export interface NewEndpoint {
  publicId: string;
  workspaceId: number;
  kind: EndpointKind;
  name: string | null;
  url: string;
  events: string[];
  description: string | null;
  filter: string | null;
  includeData: boolean;
  sealedHeaders: Buffer | null;
  sealedSecret: Buffer;
  status: EndpointStatus;
  createdByKeyId: number | null;
  now: number;
}

export interface EndpointChange {
  name?: string;
  url?: string;
  events?: string[];
  description?: string | null;
  filter?: string | null;
  includeData?: boolean;
  sealedHeaders?: Buffer | null;
  /** `active` also clears failure count, disabling and holds. */
  status?: 'active' | 'paused' | 'pending_approval';
  movedByKeyId?: number | null;
  /** What the change was decided on. Where that is no longer so, nothing changes. */
  seen?: { version: number; pending: boolean };
  now: number;
}

/** Endpoints of every kind. */
export interface EndpointStore {
  /** Null when the workspace holds `countMax` endpoints already. */
  insert(endpoint: NewEndpoint, countMax: number): Promise<EndpointRecord | null>;
  /** Creates under an idempotency key: the stored answer of the first call, if there was one within `validMs`. */
  insertOnce(endpoint: NewEndpoint, countMax: number, once: IdempotencyRecord): Promise<OnceResult>;
  /** `kind` null: whatever its kind. */
  get(workspaceId: number, kind: EndpointKind | null, publicId: string): Promise<EndpointRecord | null>;
  list(workspaceId: number, query: EndpointQuery): Promise<EndpointRecord[]>;
  /** Of every kind: disabled, pending approval, failing or held back, in this order. */
  failing(workspaceId: number, now: number, limit: number): Promise<EndpointRecord[]>;
  /** Null when it is gone, or not as it was seen. */
  update(workspaceId: number, id: number, change: EndpointChange): Promise<EndpointRecord | null>;
  /**
   * Marks it deleted and cancels what it is owed, in steps of their own. Answers the automations that call it: then it
   * stays.
   */
  delete(workspaceId: number, id: number, now: number): Promise<AutomationRef[]>;
  rotateSecret(workspaceId: number, id: number, sealed: Buffer, oldValidUntil: number, now: number): Promise<void>;
  /** Counts filters that had no value for an event. What was deleted meanwhile is passed over. */
  noteFilterErrors(notes: FilterErrorNote[]): Promise<void>;
  /** Hosts that the workspace's endpoints, deleted ones too, were ever active on. */
  knownHosts(workspaceId: number): Promise<string[]>;
  /** Makes a pending one active; null when it is not pending any more, or no longer on this URL. */
  approve(workspaceId: number, id: number, url: string, now: number): Promise<EndpointRecord | null>;
}

export interface EndpointQuery {
  kind: EndpointKind;
  status?: EndpointStatus | undefined;
  before?: number | undefined;
  limit: number;
}

export interface IdempotencyRecord {
  /** Of the caller: a key is its principal's own. */
  principal: string;
  key: string;
  requestHash: Buffer;
  /** Seals the answer once the row is known. */
  seal(endpoint: EndpointRecord): Buffer;
  now: number;
  validMs: number;
}

export type OnceResult =
  | { outcome: 'created'; endpoint: EndpointRecord }
  | { outcome: 'repeated'; answer: Buffer }
  | { outcome: 'conflict' }
  | { outcome: 'limit' };
