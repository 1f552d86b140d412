import { describe, expect, it } from 'vitest';
import type { EndpointStatus } from '../../src/core/vocabulary.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import {
  deliver,
  lease,
  newEndpoint,
  nextNumber,
  publishTo,
  reread,
  second,
  seedEndpoint,
  seedWorker,
  seedWorkspace,
  t0,
} from './seed.ts';

const later = t0 + 60 * second;
const dayMs = 24 * 3_600_000;

describe.each(engines)('endpoints on $name', (engine) => {
  const on = useDatabase(engine);

  const version = async (workspaceId: number) => (await on.store.journey.matchable(workspaceId)).version;

  it('keeps everything of a new endpoint', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const input = newEndpoint(workspaceId, {
      kind: 'config',
      name: 'CRM',
      url: 'https://one.example/a?b=c',
      events: ['contact.*', 'form.submitted'],
      description: 'Zoë’s',
      filter: 'data.amount > 1',
      includeData: false,
      sealedHeaders: Buffer.from([1, 0, 255]),
      sealedSecret: Buffer.from([9, 0, 8]),
      status: 'paused',
      createdByKeyId: null,
    });
    const { sealedSecret, now, ...shown } = input;
    const created = await on.store.endpoints.insert(input, 10);
    expect(created).toEqual({
      ...shown,
      filterErrors: { count: 0, last: null, lastAt: null },
      id: expect.any(Number),
      movedByKeyId: null,
      version: 1,
      pendingCount: 0,
      nextAttemptAt: null,
      failureCount: 0,
      failingSince: null,
      lastDeliveredAt: null,
      lastAttemptAt: null,
      lastError: null,
      lastResponseCode: null,
      heldUntil: null,
      disabledReason: null,
      disabledAt: null,
      createdAt: now,
      updatedAt: now,
    });
    expect(await on.store.endpoints.get(workspaceId, 'config', input.publicId)).toEqual(created);
    expect(await on.store.endpoints.get(workspaceId, null, input.publicId)).toEqual(created);
    expect(await on.store.endpoints.get(workspaceId, 'subscription', input.publicId)).toBeNull();
    const target = await on.store.journey.target(created?.id ?? 0);
    expect(target).toEqual({
      endpointId: created?.id,
      publicId: input.publicId,
      workspaceId,
      kind: 'config',
      version: 1,
      url: input.url,
      includeData: false,
      sealedHeaders: shown.sealedHeaders,
      secrets: [{ sealed: sealedSecret, validUntil: null }],
    });
    expect(target?.sealedHeaders).toBeInstanceOf(Buffer);
  });

  it('takes no more than the workspace may hold, however many are made at once', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const other = await on.database.open();
    const made = await Promise.all(
      [on.store, other, on.store, other, on.store, other].map((store) =>
        store.endpoints.insert(newEndpoint(workspaceId), 3),
      ),
    );
    expect(made.filter((endpoint) => endpoint !== null)).toHaveLength(3);
    const kept = made.find((endpoint) => endpoint !== null);
    await on.store.endpoints.delete(workspaceId, kept?.id ?? 0, t0);
    expect(await on.store.endpoints.insert(newEndpoint(workspaceId), 3)).not.toBeNull();
    expect(await on.store.endpoints.insert(newEndpoint(workspaceId), 3)).toBeNull();
  });

  it('raises the version that publishing compares with every change that matters to it', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const seen = [await version(workspaceId)];
    const endpoint = await seedEndpoint(on.store, workspaceId, { events: ['a.b'] });
    seen.push(await version(workspaceId));
    await on.store.endpoints.update(workspaceId, endpoint.id, { events: ['c.d'], now: t0 });
    seen.push(await version(workspaceId));
    await on.store.endpoints.update(workspaceId, endpoint.id, { status: 'paused', now: t0 });
    seen.push(await version(workspaceId));
    await on.store.records.putEventType(
      workspaceId,
      { name: 'x.y', description: '', schema: null, example: '{}', validation: 'off' as const },
      t0,
    );
    seen.push(await version(workspaceId));
    await on.store.records.deleteEventType(workspaceId, 'x.y');
    seen.push(await version(workspaceId));
    await on.store.endpoints.delete(workspaceId, endpoint.id, t0);
    seen.push(await version(workspaceId));
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
  });

  it('matches active endpoints only, and own event types', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const active = await seedEndpoint(on.store, workspaceId, { events: ['a.*'], filter: 'x' });
    await seedEndpoint(on.store, workspaceId, { status: 'paused' });
    await seedEndpoint(on.store, workspaceId, { status: 'pending_approval' });
    await on.store.records.putEventType(
      workspaceId,
      { name: 'own.type', description: '', schema: null, example: '{}', validation: 'off' as const },
      t0,
    );
    expect(await on.store.journey.matchable(workspaceId)).toMatchObject({
      endpoints: [{ id: active.id, events: ['a.*'], filter: 'x' }],
      eventTypes: [{ name: 'own.type', schema: null, validation: 'off' }],
    });
  });

  it('keeps the URL that each attempt went to', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId, { url: 'https://old.example/' });
    await deliver(on.store, endpoint);
    const moved = await on.store.endpoints.update(workspaceId, endpoint.id, {
      url: 'https://new.example/',
      now: later,
    });
    expect(moved).toMatchObject({ url: 'https://new.example/', version: 2, updatedAt: later });
    await on.store.endpoints.update(workspaceId, endpoint.id, { url: 'https://new.example/', now: later });
    await deliver(on.store, endpoint, {}, later);
    const rows = (await on.store.records.attempts(workspaceId, { limit: 10, withExcerpt: false })).rows;
    expect(rows.map(({ url }) => url)).toEqual(['https://new.example/', 'https://old.example/']);
    expect(await on.store.endpoints.knownHosts(workspaceId)).toEqual(
      expect.arrayContaining(['old.example', 'new.example']),
    );
  });

  it('does not count the host of an endpoint that was never approved as known', async () => {
    const workspaceId = await seedWorkspace(on.store);
    await seedEndpoint(on.store, workspaceId, { url: 'https://pending.example/', status: 'pending_approval' });
    const gone = await seedEndpoint(on.store, workspaceId, { url: 'https://gone.example:8443/' });
    await on.store.endpoints.delete(workspaceId, gone.id, t0);
    const moved = await seedEndpoint(on.store, workspaceId, { url: 'https://old.example/' });
    const seen = { version: moved.version, pending: false };
    const change = { url: 'https://new.example/', status: 'pending_approval' as const, movedByKeyId: 7, now: later };
    expect(await on.store.endpoints.update(workspaceId, moved.id, { ...change, seen })).toMatchObject({
      status: 'pending_approval',
      movedByKeyId: 7,
    });
    await on.store.endpoints.rotateSecret(workspaceId, moved.id, Buffer.from('s'), later, later);
    await on.store.endpoints.delete(workspaceId, moved.id, later);
    const known = await on.store.endpoints.knownHosts(workspaceId);
    expect(known.toSorted()).toEqual(['gone.example:8443', 'old.example']);
  });

  it('changes nothing that is no longer as it was seen', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    const change = (seen: { version: number; pending: boolean }) =>
      on.store.endpoints.update(workspaceId, endpoint.id, { status: 'paused', seen, now: later });
    expect(await change({ version: endpoint.version + 1, pending: false })).toBeNull();
    expect(await change({ version: endpoint.version, pending: true })).toBeNull();
    expect(await reread(on.store, endpoint)).toEqual(endpoint);
    expect(await change({ version: endpoint.version, pending: false })).toMatchObject({ status: 'paused' });
  });

  it('clears counters and holds when it is made active, and looks at once at what waited', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    await publishTo(on.store, endpoint, 1);
    await deliver(on.store, endpoint, { error: 'http_4xx', responseCode: 410, holdUntil: later + dayMs });
    expect(await reread(on.store, endpoint)).toMatchObject({
      status: 'disabled',
      disabledReason: 'gone',
      heldUntil: later + dayMs,
    });
    expect(await on.store.endpoints.update(workspaceId, endpoint.id, { status: 'active', now: later })).toMatchObject({
      status: 'active',
      failureCount: 0,
      failingSince: null,
      heldUntil: null,
      disabledReason: null,
      disabledAt: null,
      pendingCount: 1,
    });
    expect(await on.store.journey.dueEndpoints(later, 10)).toHaveLength(1);
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });

  it('counts the errors of a filter until it is changed', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId, { filter: 'data.a' });
    const note = { workspaceId, endpointId: endpoint.id, count: 2, sentence: 'first', at: t0 };
    const before = await version(workspaceId);
    await on.store.endpoints.noteFilterErrors([note, { ...note, sentence: 'second', count: 3, at: later }]);
    await on.store.endpoints.noteFilterErrors([{ ...note, endpointId: endpoint.id + 1_000 }]);
    expect(await version(workspaceId)).toBe(before);
    const filterErrors = { count: 5, last: 'second', lastAt: later };
    expect(await reread(on.store, endpoint)).toEqual({ ...endpoint, filterErrors });
    await on.store.endpoints.update(workspaceId, endpoint.id, { description: 'x', now: later });
    expect(await reread(on.store, endpoint)).toMatchObject({ filterErrors });
    await on.store.endpoints.update(workspaceId, endpoint.id, { filter: null, now: later });
    expect(await reread(on.store, endpoint)).toMatchObject({ filterErrors: { count: 0, last: null, lastAt: null } });
  });

  it('changes what it is told and nothing else', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId, { description: 'old', filter: 'x' });
    const changed = await on.store.endpoints.update(workspaceId, endpoint.id, { description: null, now: later });
    expect(changed).toEqual({ ...endpoint, description: null, updatedAt: later });
    expect(
      await on.store.endpoints.update(workspaceId, endpoint.id + 1_000, { description: null, now: later }),
    ).toBeNull();
  });

  it('approves what waits for it, once', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId, { status: 'pending_approval' });
    expect(await on.store.journey.target(endpoint.id)).toBeNull();
    expect(await on.store.endpoints.approve(workspaceId, endpoint.id, 'https://other.example/', later)).toBeNull();
    expect(await on.store.endpoints.approve(workspaceId, endpoint.id, endpoint.url, later)).toMatchObject({
      status: 'active',
      updatedAt: later,
    });
    expect(await on.store.endpoints.approve(workspaceId, endpoint.id, endpoint.url, later)).toBeNull();
    expect((await on.store.journey.matchable(workspaceId)).endpoints).toHaveLength(1);
  });

  it('deletes: nothing finds it, nothing is owed, its log stays', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    await deliver(on.store, endpoint);
    await publishTo(on.store, endpoint, 1_000);
    await publishTo(on.store, endpoint, 3);
    await on.store.endpoints.delete(workspaceId, endpoint.id, later);
    expect(await on.store.endpoints.get(workspaceId, 'subscription', endpoint.publicId)).toBeNull();
    expect(await on.store.endpoints.list(workspaceId, { kind: 'subscription', limit: 10 })).toEqual([]);
    expect(await on.store.endpoints.update(workspaceId, endpoint.id, { status: 'active', now: later })).toBeNull();
    expect(await on.store.journey.target(endpoint.id)).toBeNull();
    expect(await on.store.journey.dueEndpoints(later, 10)).toEqual([]);
    expect((await on.store.records.deliveries(workspaceId, { status: 'pending', limit: 1 })).rows).toEqual([]);
    expect((await on.store.records.deliveries(workspaceId, { status: 'canceled', limit: 1 })).rows).toHaveLength(1);
    expect((await on.store.records.attempts(workspaceId, { limit: 10, withExcerpt: false })).rows).toHaveLength(1);
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });

  it('is approved under a hold without being looked at before the hold ends', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const { id, url } = await seedEndpoint(on.store, workspaceId, { status: 'pending_approval' });
    const holding = { pending_count: 1, held_until: later + dayMs };
    await on.database.db.updateTable('endpoints').set(holding).where('id', '=', id).execute();
    expect(await on.store.endpoints.approve(workspaceId, id, url, later)).toMatchObject({ status: 'active' });
    expect(await on.store.journey.nextDueAt()).toBe(later + dayMs);
  });

  it('rotates: the old secret stays until its time is over, the newest comes first', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId, { sealedSecret: Buffer.from('one') });
    const rotate = (name: string, oldValidUntil: number, now: number) =>
      on.store.endpoints.rotateSecret(workspaceId, endpoint.id, Buffer.from(name), oldValidUntil, now);
    await rotate('two', later, t0);
    const target = async () => (await on.store.journey.target(endpoint.id)) ?? null;
    expect(await target()).toMatchObject({
      version: 2,
      secrets: [
        { sealed: Buffer.from('two'), validUntil: null },
        { sealed: Buffer.from('one'), validUntil: later },
      ],
    });
    const sealed = async () => (await target())?.secrets.map((secret) => String(secret.sealed));
    await rotate('three', later + dayMs, later);
    expect(await sealed()).toEqual(['three', 'two']);
    await rotate('four', later + dayMs, later + 1);
    expect(await sealed()).toEqual(['four', 'three']);
    await rotate('five', later + 2, later + 2);
    expect(await sealed()).toEqual(['five']);
    const at = Array.from({ length: 6 }, (_, index) => rotate(`r${index}`, later + dayMs, later));
    await Promise.all(at);
    const secrets = (await target())?.secrets ?? [];
    expect(secrets.map(({ validUntil }) => validUntil)).toEqual([null, later + dayMs]);
    await deliver(on.store, await reread(on.store, endpoint));
    expect((await on.store.records.attempts(workspaceId, { limit: 1, withExcerpt: false })).rows).toMatchObject([
      { url: endpoint.url },
    ]);
  });

  it('lists newest first, by kind and status, page by page', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const statuses: EndpointStatus[] = ['active', 'paused', 'active', 'disabled', 'active'];
    const made = [];
    for (const status of statuses) made.push((await seedEndpoint(on.store, workspaceId, { status })).id);
    await seedEndpoint(on.store, workspaceId, { kind: 'config' });
    const list = async (query: { status?: EndpointStatus; before?: number; limit?: number }) =>
      (await on.store.endpoints.list(workspaceId, { kind: 'subscription', limit: 10, ...query })).map(({ id }) => id);
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = made;
    expect(await list({})).toEqual([e, d, c, b, a]);
    expect(await list({ limit: 2 })).toEqual([e, d]);
    expect(await list({ limit: 2, before: d })).toEqual([c, b]);
    expect(await list({ status: 'active' })).toEqual([e, c, a]);
    expect(await list({ status: 'active', before: c, limit: 1 })).toEqual([a]);
    expect(await list({ status: 'pending_approval' })).toEqual([]);
  });

  it('does not lose what is published while it is being changed', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const other = await on.database.open();
    const endpoint = await seedEndpoint(on.store, workspaceId);
    const publishing = async () => {
      for (let i = 0; i < 20; i++) await publishTo(on.store, endpoint).catch(() => undefined);
    };
    const changing = async () => {
      for (let i = 0; i < 20; i++)
        await other.endpoints.update(workspaceId, endpoint.id, { status: 'active', now: t0 });
    };
    const leasing = async () => {
      const workerId = await seedWorker(on.store);
      for (let i = 0; i < 20; i++) await lease(on.store, workerId, [endpoint], t0, 1);
    };
    await Promise.all([publishing(), changing(), leasing()]);
    expect(await brokenInvariants(on.database.db, t0)).toEqual([]);
  });

  describe('under an idempotency key', () => {
    const once = (now = t0, key = 'key', hash = 'input') => ({
      principal: 'key_1',
      key,
      requestHash: Buffer.from(hash),
      seal: ({ publicId }: { publicId: string }) => Buffer.from(`answer ${publicId}`),
      now,
      validMs: dayMs,
    });

    it('creates once and then answers the same, for as long as it is kept', async () => {
      const workspaceId = await seedWorkspace(on.store);
      const create = (change: ReturnType<typeof once>) =>
        on.store.endpoints.insertOnce(newEndpoint(workspaceId), 10, change);
      const first = await create(once());
      if (first.outcome !== 'created') throw new Error(first.outcome);
      const answer = Buffer.from(`answer ${first.endpoint.publicId}`);
      expect(await create(once(t0 + dayMs - 1))).toEqual({ outcome: 'repeated', answer });
      expect(await create(once(t0, 'key', 'other input'))).toEqual({ outcome: 'conflict' });
      expect(await create({ ...once(), principal: 'key_2' })).toMatchObject({ outcome: 'created' });
      expect(await create(once(t0 + dayMs))).toMatchObject({ outcome: 'created' });
      expect(await on.store.endpoints.list(workspaceId, { kind: 'subscription', limit: 10 })).toHaveLength(3);
    });

    it('creates one when the same call arrives at two processes at once', async () => {
      const workspaceId = await seedWorkspace(on.store);
      const other = await on.database.open();
      const answers = await Promise.all(
        [on.store, other, on.store, other].map((store) =>
          store.endpoints.insertOnce(newEndpoint(workspaceId, { publicId: `sub_${nextNumber()}` }), 10, once()),
        ),
      );
      expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual(['created', 'repeated', 'repeated', 'repeated']);
      expect(await on.store.endpoints.list(workspaceId, { kind: 'subscription', limit: 10 })).toHaveLength(1);
    });

    it('keeps nothing when the workspace is full', async () => {
      const workspaceId = await seedWorkspace(on.store);
      await seedEndpoint(on.store, workspaceId);
      expect(await on.store.endpoints.insertOnce(newEndpoint(workspaceId), 1, once())).toEqual({ outcome: 'limit' });
      expect(await on.store.endpoints.insertOnce(newEndpoint(workspaceId), 2, once())).toMatchObject({
        outcome: 'created',
      });
    });
  });
});
