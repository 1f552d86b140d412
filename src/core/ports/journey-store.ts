import type { AttemptError } from '../vocabulary.ts';
import type { MatchableAutomation } from './automation-store.ts';
import type { EndpointKind } from './endpoint-store.ts';
import type { PrunePosition } from './prune-position.ts';
import type { AttemptRecord } from './record-store.ts';
import type { MatchableType } from './schemas.ts';

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
  /** Of these endpoints those that may be sent to now, with their versions: active and not held back. */
  sendable(endpointIds: number[], now: number): Promise<Map<number, number>>;
  /** Records attempts. An answer is false where the lease was no longer held: then nothing changed. */
  settle(workerId: number, settlements: Settlement[]): Promise<boolean[]>;
  /** Gives leases back without an attempt, due again at `dueAt`; canceled where the endpoint was deleted meanwhile. */
  giveBack(workerId: number, deliveryIds: number[], dueAt: number): Promise<void>;
  /** Stores a test: its event, its delivery, its attempt. Changes no counter. */
  recordTest(test: TestRecord): Promise<AttemptRecord>;
  /** When the next delivery may be due, or null. */
  nextDueAt(): Promise<number | null>;
  /** The oldest events that were too wide to be fanned out when they were published, of one workspace: the next behind
   * `afterWorkspaceId` that has any, and after the last the first. With `deliveriesMax`, none more than make up so many. */
  nextToFanOut(countMax: number, afterWorkspaceId?: number, deliveriesMax?: number): Promise<FanOutWork[]>;
  /** Makes one step of its deliveries; a step that another worker made already changes nothing. False: nor does this one,
   * because the endpoints have changed since they were matched. */
  fanOut(step: FanOutStep): Promise<boolean>;

  registerWorker(name: string, now: number): Promise<number>;
  /** False when the worker was declared dead: its leases are gone and it must register again. */
  beat(workerId: number, now: number): Promise<boolean>;
  /** Gives back the leases of `unsent`, turns what else the worker holds into interrupted attempts, forgets it. */
  retireWorker(workerId: number, unsent: number[], now: number): Promise<void>;
  /** Workers silent since `silentSince` are dead: their leases become interrupted attempts, at most `leasesMax` a call.
   * Answers how many leases were freed. */
  reapWorkers(silentSince: number, now: number, leasesMax: number): Promise<number>;
  status(workspaceId: number | null, now: number): Promise<DispatcherStatus>;
  /** Goes on where a process died while it canceled what a deleted endpoint is owed, with the first such endpoint behind
   * this one; answers behind which one to go on, null when there is none. */
  cancelForgotten(afterEndpointId: number): Promise<number | null>;
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
