import type { AutomationRecord, NewAutomation } from '../../src/core/ports/automation-store.ts';
import type { EndpointRecord, NewEndpoint } from '../../src/core/ports/endpoint-store.ts';
import type {
  AcceptResult,
  LeasedBatch,
  LeasedDelivery,
  NewEvent,
  Settlement,
  TestRecord,
} from '../../src/core/ports/journey-store.ts';
import type { Store } from '../../src/core/ports/ports.ts';

/** When everything here happens: the store reads no clock. */
export const t0 = 1_790_000_000_000;
export const second = 1_000;

let count = 0;
/** A number that no other test of this process has. */
export const nextNumber = (): number => ++count;

export async function seedWorkspace(store: Store, name = 'default'): Promise<number> {
  const { id } = await store.keys.ensureWorkspace(name, `wsp_${nextNumber()}`, t0);
  return id;
}

export function newEndpoint(workspaceId: number, change: Partial<NewEndpoint> = {}): NewEndpoint {
  return {
    publicId: `sub_${nextNumber()}`,
    workspaceId,
    kind: 'subscription',
    name: null,
    url: 'https://receiver.example/hook',
    events: ['*'],
    description: null,
    filter: null,
    includeData: true,
    sealedHeaders: null,
    sealedSecret: Buffer.from('sealed'),
    status: 'active',
    createdByKeyId: null,
    now: t0,
    ...change,
  };
}

export async function seedEndpoint(
  store: Store,
  workspaceId: number,
  change: Partial<NewEndpoint> = {},
): Promise<EndpointRecord> {
  const endpoint = await store.endpoints.insert(newEndpoint(workspaceId, change), 10_000);
  if (endpoint === null) throw new Error('the workspace is full');
  return endpoint;
}

export function newAutomation(
  workspaceId: number,
  configIds: string[],
  change: Partial<NewAutomation> = {},
): NewAutomation {
  return {
    publicId: `aut_${nextNumber()}`,
    workspaceId,
    name: 'Tell the team',
    triggerEvent: 'contact.created',
    conditions: null,
    configIds,
    enabled: true,
    createdByKeyId: null,
    now: t0,
    ...change,
  };
}

export async function seedAutomation(
  store: Store,
  workspaceId: number,
  configIds: string[],
  change: Partial<NewAutomation> = {},
): Promise<AutomationRecord> {
  const result = await store.automations.insert(newAutomation(workspaceId, configIds, change), 10_000);
  if (result.outcome !== 'stored') throw new Error(`the automation was not stored: ${result.outcome}`);
  return result.automation;
}

export function newEvent(change: Partial<NewEvent> = {}): NewEvent {
  return {
    publicId: `evt_${nextNumber()}`,
    type: 'contact.created',
    data: '{"name":"Ada"}',
    occurredAt: t0,
    endpointIds: [],
    fanOutNow: true,
    ...change,
  };
}

/** Publishes events to the endpoints that they name, as if they had just been matched. */
export async function publish(
  store: Store,
  workspaceId: number,
  events: Partial<NewEvent>[],
  now = t0,
): Promise<AcceptResult> {
  const { version } = await store.journey.matchable(workspaceId);
  return store.journey.accept({ workspaceId, matchableVersion: version, events: events.map(newEvent), now });
}

/** `times` events for one endpoint. */
export async function publishTo(store: Store, endpoint: EndpointRecord, times = 1, now = t0): Promise<void> {
  const events = Array.from({ length: times }, () => ({ endpointIds: [endpoint.id] }));
  const { outcome } = await publish(store, endpoint.workspaceId, events, now);
  if (outcome !== 'stored') throw new Error(`the events were not stored: ${outcome}`);
}

export async function seedWorker(store: Store, now = t0): Promise<number> {
  return store.journey.registerWorker('test', now);
}

export async function lease(
  store: Store,
  workerId: number,
  endpoints: { id: number }[],
  now = t0,
  each = 100,
): Promise<LeasedBatch> {
  return store.journey.lease(
    workerId,
    endpoints.map(({ id }) => ({ endpointId: id, count: each })),
    now,
  );
}

/** One delivery leased by a new worker. */
export async function leaseOne(
  store: Store,
  endpoint: EndpointRecord,
  now = t0,
): Promise<{ workerId: number; delivery: LeasedDelivery }> {
  const workerId = await seedWorker(store, now);
  const batch = await lease(store, workerId, [endpoint], now, 1);
  const [delivery] = batch.deliveries;
  if (delivery === undefined) throw new Error('nothing was due');
  return { workerId, delivery };
}

export interface Outcome {
  /** Null: it succeeded. */
  error?: Settlement['attempt']['error'];
  responseCode?: number | null;
  /** When it is due again; left out, a failure is final. */
  dueAt?: number;
  at?: number;
  holdUntil?: number | null;
  excerpt?: Buffer | null;
  eventType?: string;
}

/** What an attempt made of a delivery: a success unless told. */
export function settlement(delivery: LeasedDelivery, outcome: Outcome = {}): Settlement {
  const {
    error = null,
    responseCode = error === null ? 200 : 500,
    dueAt,
    at = t0 + second,
    holdUntil = null,
  } = outcome;
  return {
    deliveryId: delivery.id,
    workspaceId: delivery.workspaceId,
    endpointId: delivery.endpointId,
    endpointVersion: delivery.endpointVersion,
    eventType: outcome.eventType ?? 'contact.created',
    attemptNumber: delivery.attempts + 1,
    attempt: { startedAt: at, durationMs: 12, responseCode, error, excerpt: outcome.excerpt ?? null },
    next:
      error === null ? { state: 'succeeded' } : dueAt === undefined ? { state: 'failed' } : { state: 'pending', dueAt },
    health: { succeeded: error === null, at, error, responseCode, holdUntil },
  };
}

/** Publishes once, leases and settles: the whole way of one delivery. */
export async function deliver(
  store: Store,
  endpoint: EndpointRecord,
  outcome: Outcome = {},
  now = t0,
): Promise<number> {
  await publishTo(store, endpoint, 1, now);
  const { workerId, delivery } = await leaseOne(store, endpoint, now);
  await store.journey.settle(workerId, [settlement(delivery, { at: now, ...outcome })]);
  return delivery.id;
}

export async function reread(store: Store, endpoint: EndpointRecord): Promise<EndpointRecord> {
  const found = await store.endpoints.get(endpoint.workspaceId, endpoint.kind, endpoint.publicId);
  if (found === null) throw new Error('the endpoint is gone');
  return found;
}

/** A test of the endpoint: a success unless told. */
export function newTest(endpoint: EndpointRecord, attempt: Partial<TestRecord['attempt']> = {}): TestRecord {
  return {
    workspaceId: endpoint.workspaceId,
    endpointId: endpoint.id,
    endpointVersion: endpoint.version,
    eventPublicId: `evt_${nextNumber()}`,
    type: 'form.submitted',
    data: '{"sample":true}',
    attempt: { startedAt: t0, durationMs: 7, responseCode: 204, error: null, excerpt: null, ...attempt },
    freesHold: attempt.error === undefined,
  };
}
