import type { AutomationRef, AutomationStore, MatchableAutomation } from './automations.ts';
import type { AuditStore, Author } from './audit.ts';
import type { Conditions, FilterErrorCount, FilterErrorNote } from './conditions.ts';
import type { OverviewStore } from './overview-port.ts';
import type { MatchableType, Schemas, Validation } from './schemas.ts';
import type { AttemptError, DeliveryStatus, DisabledReason, EndpointStatus, Scope } from './vocabulary.ts';
import type { PrunePosition } from './prune-position.ts';

/** What core needs from outside. Times are epoch milliseconds, ids of rows are integers. */
export interface Ports {
  store: Store;
  sender: Sender;
  targets: Targets;
  conditions: Conditions;
  schemas: Schemas;
  metrics: Metrics;
  clock: Clock;
  random: Random;
  newId: NewId;
  log: Log;
}

export interface Clock {
  now(): number;
  /** Calls back once after `ms`; the returned function cancels. */
  after(ms: number, run: () => void): () => void;
}

export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  bytes(count: number): Buffer;
}

/** Makes a public id: a TypeID over UUIDv7, such as `evt_01kb…`. */
export type NewId = (prefix: 'evt' | 'sub' | 'cfg' | 'key' | 'aut' | 'wsp') => string;

/** Counts what happens. No figure is kept by workspace. */
export interface Metrics {
  accepted(events: number, deliveries: number): void;
  attempted(error: AttemptError | null, durationMs: number): void;
}

export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** Decides whether a URL may be called; every connection is checked again by the sender. */
export interface Targets {
  /** Never says why or what a name resolved to: that would make us a port scanner for strangers. */
  check(url: string): Promise<TargetVerdict>;
}

export type TargetVerdict = { allowed: true; url: string; host: string; resolves: boolean } | { allowed: false };

export interface Sender {
  /** Sends once. Never throws: whatever happens is a result. Ends within `deadlineMs`. */
  send(request: OutgoingRequest): Promise<SendResult>;
  close(): Promise<void>;
}

export interface OutgoingRequest {
  url: string;
  /** Name, value, name, value …: the form that undici sends without another copy. */
  headers: string[];
  body: string | Buffer;
  deadlineMs: number;
}

export interface SendResult {
  /** The final status (200 to 599), or null when none came. */
  responseCode: number | null;
  /** Why no usable response came; null when the final status stands. A 2xx that never ended, or grew too large, keeps its
   * status and has an error. */
  error: AttemptError | null;
  durationMs: number;
  /** The Retry-After header as it came. */
  retryAfter: string | null;
  /** The first bytes of the body, undecoded, at most 16 KiB; null when there is none. */
  excerpt: Buffer | null;
}

/**
 * The database. Every method is one transaction unless it says otherwise. A method throws PosthornError
 * `store_unavailable` when the database is locked, full or away, and has then stored nothing.
 */
export interface Store {
  readonly engine: 'sqlite' | 'postgres';
  journey: JourneyStore;
  endpoints: EndpointStore;
  records: RecordStore;
  deliveries: DeliveryStore;
  keys: KeyStore;
  overview: OverviewStore;
  audit: AuditStore;
  automations: AutomationStore;
  /**
   * The same database for one use case, which is the author of what it changes: its first change writes a row into the
   * audit log, in the same transaction. Null: it may change nothing.
   */
  for(author: Author | null): Store;
  /** Calls back when another process may have made deliveries due. */
  onOutsideChange(listener: () => void): void;
  /** Answers when the database does. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** What the journey does with the database: few statements, many rows. */
export interface JourneyStore {
  /** All that matching depends on, with the version that `accept` compares. With `activeAt`, also endpoints that are not
   * active any more and may have been then. */
  matchable(workspaceId: number, activeAt?: number): Promise<Matchable>;
  accept(batch: AcceptBatch): Promise<AcceptResult>;
  /** Endpoints that may have due deliveries, longest waiting first. A hint: `lease` decides. */
  dueEndpoints(now: number, countMax: number): Promise<DueEndpoint[]>;
  /** Leases due deliveries, at most `count` for each endpoint named. */
  lease(workerId: number, shares: Share[], now: number): Promise<LeasedBatch>;
  /** What the sender needs of an endpoint; null when it is gone. */
  target(endpointId: number): Promise<TargetRecord | null>;
  /** Records attempts. An answer is false where the lease was no longer held: then nothing changed. */
  settle(workerId: number, settlements: Settlement[]): Promise<boolean[]>;
  /** Gives leases back without an attempt, due again at `dueAt`; canceled where the endpoint was deleted meanwhile. */
  giveBack(workerId: number, deliveryIds: number[], dueAt: number): Promise<void>;
  /** Stores a test: its event, its delivery, its attempt. Changes no counter. */
  recordTest(test: TestRecord): Promise<AttemptRecord>;
  /** When the next delivery may be due, or null. */
  nextDueAt(): Promise<number | null>;
  /** The oldest events that were too wide to be fanned out when they were published. */
  nextToFanOut(countMax: number): Promise<FanOutWork[]>;
  /** Makes one step of its deliveries; a step that another worker made already changes nothing. */
  fanOut(step: FanOutStep): Promise<void>;

  registerWorker(name: string, now: number): Promise<number>;
  /** False when the worker was declared dead: its leases are gone and it must register again. */
  beat(workerId: number, now: number): Promise<boolean>;
  /** Gives back the leases of `unsent`, turns what else the worker holds into interrupted attempts, forgets it. */
  retireWorker(workerId: number, unsent: number[], now: number): Promise<void>;
  /** Workers silent since `silentSince` are dead: their leases become interrupted attempts, at most `leasesMax` a call.
   * Answers how many leases were freed. */
  reapWorkers(silentSince: number, now: number, leasesMax: number): Promise<number>;
  status(workspaceId: number | null, now: number): Promise<DispatcherStatus>;
  /** Goes on where a process died while it canceled what a deleted endpoint is owed; answers whether there may be more. */
  cancelForgotten(): Promise<boolean>;
  /** Deletes one step of what is older than `before`; answers where the next begins, null when nothing is left. */
  prune(position: PrunePosition, before: number): Promise<PrunePosition | null>;
}

export interface Matchable {
  /** Changes with every change of the workspace's endpoints or event types. */
  version: number;
  endpoints: MatchableEndpoint[];
  automations: MatchableAutomation[];
  /** Those that the workspace added or changed; the other built-in ones are not among them. */
  eventTypes: MatchableType[];
}
export interface MatchableEndpoint {
  id: number;
  /** When it ceased to be active, or was changed since; null: it is active. */
  activeUntil: number | null;
  events: string[];
  filter: string | null;
}

export interface AcceptBatch {
  workspaceId: number;
  /** Of the `Matchable` that the endpoint ids were chosen from. */
  matchableVersion: number;
  events: NewEvent[];
  now: number;
}
export interface NewEvent {
  publicId: string;
  type: string;
  /** JSON text. */
  data: string;
  occurredAt: number;
  /** Endpoints that it is owed to. */
  endpointIds: number[];
  /** False: stored without deliveries, which the worker makes in steps. */
  fanOutNow: boolean;
}
export type AcceptResult =
  /** Endpoints or event types changed since they were matched: nothing was stored, match again. */
  | { outcome: 'stale' }
  /** Event `index` has an id that another event holds: nothing was stored. */
  | { outcome: 'conflict'; index: number }
  | { outcome: 'stored'; events: { deliveries: number; repeated: boolean }[] };

export interface FanOutWork {
  eventId: number;
  workspaceId: number;
  type: string;
  publicId: string;
  occurredAt: number;
  data: string;
  createdAt: number;
  /** Endpoints up to and including this id have their deliveries. */
  afterEndpointId: number;
}
export interface FanOutStep {
  eventId: number;
  workspaceId: number;
  /** Of the `Matchable` that the endpoint ids were chosen from. When it is no longer current, nothing changes. */
  matchableVersion: number;
  endpointIds: number[];
  /** Where the step began. */
  fromEndpointId: number;
  /** Null when the event is fanned out whole. */
  afterEndpointId: number | null;
  now: number;
}

export interface DueEndpoint {
  id: number;
  workspaceId: number;
  /** Its last attempts failed. */
  failing: boolean;
}
export interface Share {
  endpointId: number;
  count: number;
}
export interface LeasedBatch {
  deliveries: LeasedDelivery[];
  /** By event id; an event owed to many endpoints comes once. */
  events: Map<number, LeasedEvent>;
}
export interface LeasedDelivery {
  id: number;
  workspaceId: number;
  endpointId: number;
  eventId: number;
  /** Of the endpoint, to tell whether a cached target still fits. */
  endpointVersion: number;
  /** Attempts made before this one. */
  attempts: number;
  /** Steps of the retry schedule used up. */
  steps: number;
}
export interface LeasedEvent {
  publicId: string;
  type: string;
  data: string;
  occurredAt: number;
}
export interface TargetRecord {
  endpointId: number;
  publicId: string;
  workspaceId: number;
  kind: EndpointKind;
  version: number;
  url: string;
  includeData: boolean;
  sealedHeaders: Buffer | null;
  secrets: SealedSecret[];
}
/** Newest first. `validUntil` null: the current secret. */
export interface SealedSecret {
  sealed: Buffer;
  validUntil: number | null;
}

/** What one attempt made of its delivery and means for its endpoint; decided by rules, recorded by the store. */
export interface Settlement {
  deliveryId: number;
  workspaceId: number;
  endpointId: number;
  endpointVersion: number;
  eventType: string;
  /** 1 for the first. */
  attemptNumber: number;
  attempt: AttemptFacts;
  /** What becomes of the delivery. */
  next: { state: 'succeeded' | 'failed' } | { state: 'pending'; dueAt: number };
  health: HealthChange;
}
export interface AttemptFacts {
  startedAt: number;
  durationMs: number;
  responseCode: number | null;
  error: AttemptError | null;
  excerpt: Buffer | null;
}
/** Applied to the endpoint inside the settling transaction by rules/health.ts. */
export interface HealthChange {
  succeeded: boolean;
  at: number;
  error: AttemptError | null;
  responseCode: number | null;
  holdUntil: number | null;
}

export interface TestRecord {
  workspaceId: number;
  endpointId: number;
  endpointVersion: number;
  eventPublicId: string;
  type: string;
  data: string;
  attempt: AttemptFacts;
  /** A test that succeeds frees an endpoint that is held back. */
  freesHold: boolean;
}

export interface DispatcherStatus {
  workers: number;
  lastBeatAt: number | null;
  dueCount: number;
  oldestDueAt: number | null;
}

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

/** What people change about deliveries. */
export interface DeliveryStore {
  /** Makes one more attempt due now, and frees the endpoint's hold. */
  retry(workspaceId: number, id: number, now: number): Promise<RetryOutcome>;
  /** Queues one step of a replay: the events after `afterEventId`, oldest first. */
  replay(workspaceId: number, step: ReplayStep): Promise<ReplayOutcome>;
  /** The row before the first event that was published at or after this time. */
  eventBefore(time: number): Promise<number>;
  /** Erases an event's payload and cancels what is pending of it; null when there is no such event. */
  erase(workspaceId: number, eventPublicId: string, now: number): Promise<EventRecord | null>;
}
export type RetryOutcome = 'queued' | 'in_flight' | 'not_found' | 'not_active' | 'canceled' | 'test' | 'erased';
export interface ReplayStep {
  endpointId: number;
  /** Names of event types that it wants. */
  types: string[];
  /** Whether its filter takes the event; left out, it has none, and no event need be read. */
  takes?: (event: StoredEvent) => boolean;
  afterEventId: number;
  since: number;
  until: number;
  failed: boolean;
  missed: boolean;
  succeeded: boolean;
  countMax: number;
  now: number;
}
export interface ReplayOutcome {
  queued: number;
  /** Where the next step begins; null when there are no more events. */
  lastEventId: number | null;
  /** When the first event that was not looked at any more was published. */
  nextAt: number | null;
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
