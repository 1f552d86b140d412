import { describe, expect, it } from 'vitest';
import type { Author } from '../../src/core/ports/audit-store.ts';
import { verifyAudit } from '../../src/core/manage/audit.ts';
import type { Store } from '../../src/core/ports/ports.ts';
import type { AuditAction } from '../../src/core/vocabulary.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { newEndpoint, nextNumber, seedEndpoint, seedWorkspace, second, t0 } from './seed.ts';

const author = (action: AuditAction, change: Partial<Author['principal']> = {}, now = t0): Author => ({
  action,
  principal: { kind: 'local', keyId: null, name: 'test', via: { face: 'rest', client: 'test/1' }, ...change },
  now,
});
const creating = author('subscription.create');

describe.each(engines)('the audit log on $name', (engine) => {
  const on = useDatabase(engine);

  const rowsOf = (workspaceId: number) => on.store.audit.chain(workspaceId, 0, 1_000);
  const verdicts = () => verifyAudit({ store: on.store });
  const create = (store: Store, workspaceId: number, by = creating) =>
    store.for(by).endpoints.insert(newEndpoint(workspaceId), 10_000);

  it('gets a row with the change, and none for a change that did not happen', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await create(on.store, workspaceId);
    const { id = 0, publicId = '', url = '' } = endpoint ?? {};
    const again = () => on.store.for(author('subscription.approve')).endpoints.approve(workspaceId, id, url, t0);
    expect(await again()).toBeNull();
    expect(await on.store.for(creating).endpoints.insert(newEndpoint(workspaceId), 1)).toBeNull();
    expect(await rowsOf(workspaceId)).toEqual([
      {
        seq: 1,
        at: t0,
        action: 'subscription.create',
        target: publicId,
        principalKind: 'local',
        principalKeyId: null,
        principalName: 'test',
        face: 'rest',
        client: 'test/1',
        before: null,
        after: expect.stringContaining('"status":"active"'),
        hash: expect.any(Buffer),
      },
    ]);
  });

  it('is written in the same transaction: where the row cannot be, the change is not either', async () => {
    const workspaceId = await seedWorkspace(on.store);
    await expect(create(on.store, workspaceId, author('subscription.create', { keyId: 4_711 }))).rejects.toThrow(
      'no result',
    );
    expect(await on.store.endpoints.list(workspaceId, { kind: 'subscription', limit: 10 })).toEqual([]);
    expect(await rowsOf(workspaceId)).toEqual([]);
    expect(await verdicts()).toMatchObject([{ rows: 0, broken: null }]);
  });

  it('names the key that was used by its public id', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const key = { publicId: 'key_made', workspaceId, name: 'k', scopes: [], hash: Buffer.alloc(32, 1), last4: 'abcd' };
    const { id } = await on.store.keys.insert({ ...key, createdByKeyId: null, expiresAt: null, now: t0 });
    await create(on.store, workspaceId, author('subscription.create', { kind: 'key', keyId: id }));
    expect(await rowsOf(workspaceId)).toMatchObject([{ principalKind: 'key', principalKeyId: 'key_made' }]);
  });

  it('stays one chain for each workspace, however many processes write at once', async () => {
    const workspaces = await Promise.all(['one', 'two'].map((name) => seedWorkspace(on.store, name)));
    const stores = [on.store, await on.database.open(), await on.database.open()];
    const seeded = await Promise.all(workspaces.map((id) => seedEndpoint(on.store, id)));
    const times = Array.from({ length: 5 }, (_, index) => index);
    await Promise.all(
      times.flatMap((time) =>
        workspaces.flatMap((workspaceId, which) => {
          const store = stores[(time + which) % stores.length] as Store;
          const { id } = seeded[which] as { id: number };
          const key = {
            publicId: `key_${nextNumber()}`,
            hash: Buffer.alloc(32, nextNumber()),
            name: 'k',
            last4: 'abcd',
          };
          return [
            create(store, workspaceId),
            // A key changes nothing else of its workspace, whose row nobody locks for it but the log.
            store.for(author('key.create')).keys.insert({
              ...key,
              workspaceId,
              scopes: [],
              createdByKeyId: null,
              expiresAt: null,
              now: t0,
            }),
            store.for(author('subscription.update')).endpoints.update(workspaceId, id, { status: 'paused', now: t0 }),
          ];
        }),
      ),
    );
    expect(await verdicts()).toMatchObject(workspaces.map(() => ({ rows: 15, broken: null })));
  });

  it('has one row for a use case of several changes, at the first that changed anything', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const { id } = await seedEndpoint(on.store, workspaceId);
    const store = on.store.for(author('subscription.update'));
    expect(await store.endpoints.update(workspaceId, 4_711, { now: t0 })).toBeNull();
    for (const status of ['paused', 'active'] as const)
      await store.endpoints.update(workspaceId, id, { status, now: t0 });
    const rows = await rowsOf(workspaceId);
    expect(rows.map(({ after }) => JSON.parse(after ?? '{}').status)).toEqual(['paused']);
  });

  it('cannot be passed by: without an action nothing is changed, and no follow-up comes first', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const { id } = await seedEndpoint(on.store, workspaceId);
    await expect(on.store.for(null).endpoints.update(workspaceId, id, { status: 'paused', now: t0 })).rejects.toThrow(
      'declares no action',
    );
    await expect(on.store.for(null).keys.touch(1, t0)).rejects.toThrow('declares no action');
    await expect(on.store.for(creating).keys.touch(1, t0)).rejects.toThrow('before its row');
    const [endpoint] = await on.store.for(null).endpoints.list(workspaceId, { kind: 'subscription', limit: 1 });
    expect(endpoint).toMatchObject({ id, status: 'active' });
  });

  it('is no business of the program itself', async () => {
    const workspaceId = await seedWorkspace(on.store);
    await seedEndpoint(on.store, workspaceId);
    expect(await rowsOf(workspaceId)).toEqual([]);
  });

  it('is found by action, target, key, face and time, page by page', async () => {
    const workspaceId = await seedWorkspace(on.store);
    for (let i = 0; i < 3; i++) await create(on.store, workspaceId, author('subscription.create', {}, t0 + i * second));
    const { target = '' } = (await rowsOf(workspaceId))[1] ?? {};
    const { id } = await seedEndpoint(on.store, workspaceId);
    const deleting = author('subscription.delete', { via: { face: 'mcp', client: null } }, t0 + 9 * second);
    await on.store.for(deleting).endpoints.delete(workspaceId, id, t0);
    const found = async (query: Partial<Parameters<Store['audit']['list']>[1]>) =>
      (await on.store.audit.list(workspaceId, { limit: 10, ...query })).map(({ seq }) => seq);
    expect(await found({})).toEqual([4, 3, 2, 1]);
    expect(await found({ limit: 2, before: 4 })).toEqual([3, 2]);
    expect(await found({ action: 'subscription.create' })).toEqual([3, 2, 1]);
    expect(await found({ target })).toEqual([2]);
    expect(await found({ face: 'mcp' })).toEqual([4]);
    expect(await found({ principalKeyId: 'key_1' })).toEqual([]);
    expect(await found({ since: t0 + second, until: t0 + 9 * second })).toEqual([3, 2]);
  });

  describe('that somebody laid hands on', () => {
    async function chain() {
      const workspaceId = await seedWorkspace(on.store);
      for (let i = 0; i < 3; i++) await create(on.store, workspaceId);
      return workspaceId;
    }
    const broken = async () => (await verdicts())[0]?.broken;

    it('shows an edit', async () => {
      const workspaceId = await chain();
      const row = on.database.db.updateTable('audit').set({ principal_name: 'somebody else' });
      await row.where('workspace_id', '=', workspaceId).where('seq', '=', 2).execute();
      expect(await verdicts()).toMatchObject([{ workspace: 'default', rows: 1, broken: { seq: 2, fault: 'changed' } }]);
    });

    it.each([1, 2, 3])('shows that row %i is gone', async (seq) => {
      await chain();
      await on.database.db.deleteFrom('audit').where('seq', '=', seq).execute();
      expect(await broken()).toEqual({ seq, fault: 'missing' });
    });

    it('shows an end that was cut off, and one that was sewn on', async () => {
      await chain();
      await on.database.db.updateTable('workspaces').set({ audit_count: 2 }).execute();
      expect(await broken()).toEqual({ seq: 3, fault: 'added' });
    });
  });

  it('knows no workspace that does not exist', async () => {
    await seedWorkspace(on.store);
    await expect(verifyAudit({ store: on.store }, 'nowhere')).rejects.toThrow('There is no workspace "nowhere".');
  });
});
