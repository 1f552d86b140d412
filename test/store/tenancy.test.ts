import { describe, expect, it } from 'vitest';
import type { AuditStore } from '../../src/core/ports/audit-store.ts';
import type { AutomationStore } from '../../src/core/ports/automation-store.ts';
import type { DeliveryStore } from '../../src/core/ports/delivery-store.ts';
import type { EndpointRecord, EndpointStore } from '../../src/core/ports/endpoint-store.ts';
import type { JourneyStore } from '../../src/core/ports/journey-store.ts';
import type { KeyStore } from '../../src/core/ports/key-store.ts';
import type { Store } from '../../src/core/ports/ports.ts';
import type { RecordStore } from '../../src/core/ports/record-store.ts';
import type { SettingsStore } from '../../src/core/ports/settings-store.ts';
import { authorOf } from '../../src/core/rules/audited.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import {
  deliver,
  newAutomation,
  newEndpoint,
  nextNumber,
  publish,
  reread,
  second,
  seedAutomation,
  seedEndpoint,
  seedWorkspace,
  t0,
} from './seed.ts';

/** Another workspace's rows, as a stranger would name them. */
interface Theirs {
  endpointId: number;
  endpointPublicId: string;
  /** One that waits for approval. */
  pending: EndpointRecord;
  eventId: number;
  eventPublicId: string;
  deliveryId: number;
  attemptId: number;
  keyPublicId: string;
  configId: number;
  configPublicId: string;
  automationId: number;
  automationPublicId: string;
}
type Probe = (store: Store, stranger: number, theirs: Theirs) => Promise<unknown>;
/** Every method of a port has a probe, or a reason why it needs none: whoever adds a method is stopped by the compiler. */
type Probes<P> = { [M in keyof P]: Probe | { because: string } };

const endpointProbes: Probes<EndpointStore> = {
  insert: { because: 'it only adds' },
  insertOnce: async (store, stranger, theirs) => {
    const endpoint = newEndpoint(stranger);
    const requestHash = Buffer.from('input');
    const once = {
      principal: 'key_1',
      key: 'idem',
      requestHash,
      seal: () => Buffer.from('mine'),
      now: t0,
      validMs: 1_000,
    };
    const { outcome } = await store.endpoints.insertOnce(endpoint, 10, once);
    return outcome === 'created' ? null : { outcome, theirs };
  },
  get: (store, stranger, { endpointPublicId }) => store.endpoints.get(stranger, null, endpointPublicId),
  list: async (store, stranger, { endpointPublicId }) =>
    (await store.endpoints.list(stranger, { kind: 'subscription', limit: 100 })).filter(
      (one) => one.publicId === endpointPublicId,
    ),
  failing: (store, stranger) => store.endpoints.failing(stranger, t0, 100),
  update: (store, stranger, { endpointId }) =>
    store.endpoints.update(stranger, endpointId, { status: 'paused', url: 'https://x.example/', now: t0 }),
  delete: (store, stranger, { endpointId }) => store.endpoints.delete(stranger, endpointId, t0),
  rotateSecret: (store, stranger, { endpointId }) =>
    store.endpoints.rotateSecret(stranger, endpointId, Buffer.from('stolen'), t0, t0).catch(() => null),
  knownHosts: async (store, stranger) =>
    (await store.endpoints.knownHosts(stranger)).filter((host) => host === 'theirs.example'),
  noteFilterErrors: (store, stranger, { endpointId }) =>
    store.endpoints.noteFilterErrors([{ workspaceId: stranger, endpointId, count: 1, sentence: 'theirs', at: t0 }]),
  approve: (store, stranger, { pending }) => store.endpoints.approve(stranger, pending.id, pending.url, t0),
};

const recordProbes: Probes<RecordStore> = {
  attempts: async (store, stranger, { endpointId }) =>
    [
      (await store.records.attempts(stranger, { endpointId, limit: 10, withExcerpt: true })).rows,
      (await store.records.attempts(stranger, { eventType: 'contact.created', limit: 10, withExcerpt: true })).rows,
    ].flat(),
  attempt: (store, stranger, { attemptId }) => store.records.attempt(stranger, attemptId, true),
  attemptsOf: (store, stranger, { deliveryId }) => store.records.attemptsOf(stranger, deliveryId, 10),
  event: (store, stranger, { eventPublicId }) => store.records.event(stranger, eventPublicId),
  events: async (store, stranger) =>
    (await store.records.events(stranger, { limit: 10 })).filter(({ publicId }) => publicId !== 'strangers-event'),
  deliveries: async (store, stranger, { eventId, endpointId }) =>
    [
      (await store.records.deliveries(stranger, { eventId, limit: 10 })).rows,
      (await store.records.deliveries(stranger, { endpointId, limit: 10 })).rows,
    ].flat(),
  delivery: (store, stranger, { deliveryId }) => store.records.delivery(stranger, deliveryId),
  eventTypes: (store, stranger) => store.records.eventTypes(stranger),
  putEventType: { because: 'it only adds' },
  deleteEventType: async (store, stranger) => (await store.records.deleteEventType(stranger, 'their.type')) || null,
};

const deliveryProbes: Probes<DeliveryStore> = {
  retry: async (store, stranger, { deliveryId }) => {
    const outcome = await store.deliveries.retry(stranger, deliveryId, t0);
    return outcome === 'not_found' ? null : outcome;
  },
  replay: async (store, stranger, { endpointId }) => {
    const range = { afterEventId: 0, since: 0, until: t0 + 99 * second, countMax: 10, now: t0 };
    const step = { endpointId, types: ['contact.created'], ...range, failed: true, missed: true, succeeded: true };
    const { queued } = await store.deliveries.replay(stranger, step);
    return queued === 0 ? null : queued;
  },
  eventBefore: { because: 'it answers a row to start from, and shows nothing of it' },
  erase: (store, stranger, { eventPublicId }) => store.deliveries.erase(stranger, eventPublicId, t0),
};

const keyProbes: Probes<KeyStore> = {
  find: { because: 'it finds out whose a key is' },
  touch: { because: 'it is told the row of a key that was found' },
  insert: { because: 'it only adds' },
  list: (store, stranger) => store.keys.list(stranger, undefined, 10),
  lineage: { because: 'it is told the row of a key that was found' },
  revoke: (store, stranger, { keyPublicId }) => store.keys.revoke(stranger, keyPublicId, t0),
  count: { because: 'it counts the keys of all' },
  workspaces: { because: 'it is the operator’s' },
  ensureWorkspace: { because: 'it is the operator’s' },
  secretKeyCheck: { because: 'it belongs to the database' },
};

const settingsProbes: Probes<SettingsStore> = {
  recorded: { because: 'it belongs to the database' },
  record: { because: 'it belongs to the database' },
  release: { because: 'it belongs to the database' },
};

const auditProbes: Probes<AuditStore> = {
  list: (store, stranger) => store.audit.list(stranger, { limit: 10 }),
  chain: (store, stranger) => store.audit.chain(stranger, 0, 10),
  heads: { because: 'it is the operator’s' },
};

const automationProbes: Probes<AutomationStore> = {
  insert: async (store, stranger, { configPublicId }) => {
    const { outcome } = await store.automations.insert(newAutomation(stranger, [configPublicId]), 10);
    return outcome === 'unknown_config' ? null : outcome;
  },
  get: (store, stranger, { automationPublicId }) => store.automations.get(stranger, automationPublicId),
  list: (store, stranger) => store.automations.list(stranger, undefined, 10),
  update: async (store, stranger, { automationPublicId }) => {
    const { outcome } = await store.automations.update(stranger, automationPublicId, { enabled: false, now: t0 });
    return outcome === 'not_found' ? null : outcome;
  },
  delete: async (store, stranger, { automationPublicId }) =>
    (await store.automations.delete(stranger, automationPublicId)) || null,
  triggersOf: (store, stranger, { configId }) => store.automations.triggersOf(stranger, configId),
  noteRuns: (store, stranger, { automationId }) => {
    const note = { workspaceId: stranger, automationId, fired: 1, errors: 1, sentence: 'theirs', at: t0 };
    return store.automations.noteRuns([note]);
  },
};

const byRow = { because: 'it is told rows that core has looked up in their workspace' };
const workers = { because: 'it is the worker’s, who works for all' };
const journeyProbes: Probes<JourneyStore> = {
  matchable: async (store, stranger) => {
    const { endpoints, automations, eventTypes } = await store.journey.matchable(stranger);
    return [...endpoints, ...automations, ...eventTypes];
  },
  status: async (store, stranger) => {
    const { dueCount, oldestDueAt } = await store.journey.status(stranger, t0 + second);
    return dueCount === 0 && oldestDueAt === null ? null : { dueCount, oldestDueAt };
  },
  accept: byRow,
  target: byRow,
  recordTest: byRow,
  fanOut: workers,
  dueEndpoints: workers,
  lease: workers,
  settle: workers,
  sendable: workers,
  giveBack: workers,
  nextDueAt: workers,
  nextToFanOut: workers,
  registerWorker: workers,
  beat: workers,
  retireWorker: workers,
  reapWorkers: workers,
  prune: workers,
  cancelForgotten: workers,
};

const ports = {
  journey: journeyProbes,
  endpoints: endpointProbes,
  records: recordProbes,
  deliveries: deliveryProbes,
  keys: keyProbes,
  audit: auditProbes,
  automations: automationProbes,
  settings: settingsProbes,
};

describe.each(engines)('another workspace on $name', (engine) => {
  const on = useDatabase(engine);

  async function seed() {
    const { store } = on;
    const workspaceId = await seedWorkspace(store, 'theirs');
    const stranger = await seedWorkspace(store, 'stranger');
    const once = {
      principal: 'key_1',
      key: 'idem',
      requestHash: Buffer.from('input'),
      seal: () => Buffer.from('theirs'),
      now: t0,
      validMs: 1_000,
    };
    await store.endpoints.insertOnce(newEndpoint(workspaceId), 10, once);
    const endpoint = await seedEndpoint(store, workspaceId, { url: 'https://theirs.example/' });
    const pending = await seedEndpoint(store, workspaceId, { status: 'pending_approval' });
    await publish(store, stranger, [{ publicId: 'strangers-event' }]);
    const deliveryId = await deliver(store, endpoint, { error: 'http_5xx', excerpt: Buffer.from('secret words') });
    const [attempt] = await store.records.attemptsOf(workspaceId, deliveryId, 1);
    await publish(store, workspaceId, [{ publicId: 'their-event', endpointIds: [endpoint.id] }], t0 + 1);
    await store.records.putEventType(
      workspaceId,
      { name: 'their.type', description: '', schema: null, example: '{}', validation: 'off' as const },
      t0,
    );
    const key = {
      publicId: 'key_theirs',
      workspaceId,
      name: 'k',
      scopes: [],
      hash: Buffer.alloc(32, nextNumber()),
      last4: 'abcd',
      createdByKeyId: null,
      expiresAt: null,
      now: t0,
    };
    const by = { kind: 'local', keyId: null, name: 'owner', via: { face: 'cli', client: null } } as const;
    await store.for(authorOf('key.create', by, t0)).keys.insert(key);
    const config = await seedEndpoint(store, workspaceId, { kind: 'config', publicId: `cfg_${nextNumber()}` });
    const automation = await seedAutomation(store, workspaceId, [config.publicId]);
    const event = await store.records.event(workspaceId, 'their-event');
    const theirs: Theirs = {
      endpointId: endpoint.id,
      endpointPublicId: endpoint.publicId,
      pending,
      eventId: event?.id ?? 0,
      eventPublicId: 'their-event',
      deliveryId,
      attemptId: attempt?.id ?? 0,
      keyPublicId: 'key_theirs',
      configId: config.id,
      configPublicId: config.publicId,
      automationId: automation.id,
      automationPublicId: automation.publicId,
    };
    const rows = async () => ({
      endpoint: await reread(store, endpoint),
      pending: await reread(store, pending),
      target: await store.journey.target(endpoint.id),
      event: await store.records.event(workspaceId, 'their-event'),
      deliveries: (await store.records.deliveries(workspaceId, { limit: 10 })).rows,
      automations: await store.automations.list(workspaceId, undefined, 10),
      types: await store.records.eventTypes(workspaceId),
      keys: await store.keys.list(workspaceId, undefined, 10),
    });
    return { workspaceId, stranger, theirs, rows };
  }

  it('has a probe for every method there is', () => {
    const methods = (all: typeof ports | Store) =>
      (Object.keys(ports) as (keyof typeof ports)[]).map((name) => [name, Object.keys(all[name]).toSorted()]);
    expect(methods(on.store)).toEqual(methods(ports));
  });

  const cases = Object.entries(ports).flatMap(([port, probes]) =>
    Object.entries(probes as Record<string, Probe | { because: string }>).flatMap(([method, probe]) =>
      typeof probe === 'function' ? [{ name: `${port}.${method}`, probe }] : [],
    ),
  );
  it.each(cases)('sees and changes nothing through $name', async ({ probe }) => {
    const { stranger, workspaceId, theirs, rows } = await seed();
    const before = await rows();
    const seen = await probe(on.store, stranger, theirs);
    expect(seen ?? []).toEqual([]);
    expect(await rows()).toEqual(before);
    expect(await brokenInvariants(on.database.db, t0 + second)).toEqual([]);
    // The same call by their owner does find or change something, or else it could not fail.
    const mine = await probe(on.store, workspaceId, theirs);
    expect([mine ?? [], await rows().catch(() => 'deleted')]).not.toEqual([[], before]);
  });
});
