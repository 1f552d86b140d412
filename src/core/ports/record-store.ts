import type { AttemptError, DeliveryStatus } from '../vocabulary.ts';
import type { Validation } from './schemas.ts';

/** What happened: events, deliveries, attempts, event types. */
export interface RecordStore {
  /** Newest first. */
  attempts(workspaceId: number, query: AttemptQuery): Promise<RowsPage<AttemptRecord>>;
  attempt(workspaceId: number, id: number, withExcerpt: boolean): Promise<AttemptRecord | null>;
  /** The attempts of one delivery, oldest first. */
  attemptsOf(workspaceId: number, deliveryId: number, limit: number): Promise<AttemptRecord[]>;
  event(workspaceId: number, publicId: string): Promise<EventRecord | null>;
  /** Newest first, without those of tests. */
  events(workspaceId: number, query: EventQuery): Promise<EventRecord[]>;
  /** Newest first. */
  deliveries(workspaceId: number, query: DeliveryQuery): Promise<RowsPage<DeliveryRecord>>;
  delivery(workspaceId: number, id: number): Promise<DeliveryRecord | null>;
  eventTypes(workspaceId: number): Promise<EventTypeRecord[]>;
  /** Adds the event type or replaces it. */
  putEventType(workspaceId: number, type: EventTypeRecord, now: number): Promise<void>;
  /** False when the workspace has none of that name. */
  deleteEventType(workspaceId: number, name: string): Promise<boolean>;
}

export interface AttemptQuery {
  endpointId?: number | undefined;
  status?: 'succeeded' | 'failed' | undefined;
  eventType?: string | undefined;
  isTest?: boolean | undefined;
  since?: number | undefined;
  until?: number | undefined;
  /** The most that lies between an attempt's beginning and its record; `since` and `until` are looked for with it. */
  recordedWithinMs?: number;
  before?: number | undefined;
  after?: number | undefined;
  limit: number;
  withExcerpt: boolean;
}

/** A page that takes bounded time: where few rows fit, it may be short, or empty, and tell where the next begins. */
export interface RowsPage<Row> {
  rows: Row[];
  /** Null where the rows end, or there are as many as were asked for. */
  goOnBefore: number | null;
}

export interface AttemptRecord {
  id: number;
  deliveryId: number;
  eventPublicId: string;
  eventType: string;
  endpointPublicId: string;
  url: string;
  attempt: number;
  responseCode: number | null;
  durationMs: number;
  error: AttemptError | null;
  isTest: boolean;
  startedAt: number;
  nextAttemptAt: number | null;
  excerpt: Buffer | null;
}

/** What happened. */
export interface StoredEvent {
  publicId: string;
  type: string;
  /** JSON text; null once erased. */
  data: string | null;
  occurredAt: number;
}

export interface EventRecord extends StoredEvent {
  id: number;
  createdAt: number;
  deliveriesCount: number;
}

export interface EventQuery {
  type?: string | undefined;
  before?: number | undefined;
  limit: number;
}

export interface DeliveryQuery {
  eventId?: number | undefined;
  endpointId?: number | undefined;
  status?: DeliveryStatus | undefined;
  before?: number | undefined;
  limit: number;
}

export interface DeliveryRecord {
  id: number;
  eventPublicId: string;
  eventType: string;
  endpointPublicId: string;
  status: DeliveryStatus;
  attempts: number;
  dueAt: number | null;
  lastError: AttemptError | null;
  createdAt: number;
}

export interface EventTypeRecord {
  name: string;
  description: string;
  schema: string | null;
  example: string;
  validation: Validation;
}
