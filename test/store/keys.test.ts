import { describe, expect, it } from 'vitest';
import type { NewKey } from '../../src/core/ports/key-store.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { nextNumber, second, seedWorkspace, t0 } from './seed.ts';

describe.each(engines)('keys on $name', (engine) => {
  const on = useDatabase(engine);

  const newKey = (workspaceId: number, change: Partial<NewKey> = {}): NewKey => ({
    publicId: `key_${nextNumber()}`,
    workspaceId,
    name: 'agent',
    scopes: ['webhooks:read', 'events:write'],
    hash: Buffer.alloc(32, nextNumber()),
    last4: 'wxyz',
    createdByKeyId: null,
    expiresAt: t0 + 60 * second,
    now: t0,
    ...change,
  });

  it('finds a key by its hash', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const { hash, now, ...shown } = newKey(workspaceId);
    const made = await on.store.keys.insert({ hash, now, ...shown });
    expect(made).toEqual({ ...shown, id: expect.any(Number), createdAt: now, lastUsedAt: null, revokedAt: null });
    expect(await on.store.keys.find(hash)).toEqual(made);
    expect(await on.store.keys.find(Buffer.alloc(32, 255))).toBeNull();
    await on.store.keys.touch(made.id, t0 + second);
    expect(await on.store.keys.find(hash)).toMatchObject({ lastUsedAt: t0 + second });
    expect(await on.store.keys.count()).toBe(1);
  });

  it('revokes once, and answers the key as it then is', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const key = newKey(workspaceId);
    await on.store.keys.insert(key);
    expect(await on.store.keys.revoke(workspaceId, key.publicId, t0 + 1)).toMatchObject({ revokedAt: t0 + 1 });
    expect(await on.store.keys.revoke(workspaceId, key.publicId, t0 + 2)).toMatchObject({ revokedAt: t0 + 1 });
    expect(await on.store.keys.revoke(workspaceId, 'key_unknown', t0)).toBeNull();
  });

  it('lists newest first, page by page', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const made: number[] = [];
    for (let i = 0; i < 3; i++) made.push((await on.store.keys.insert(newKey(workspaceId))).id);
    const page = await on.store.keys.list(workspaceId, undefined, 2);
    expect(page.map(({ id }) => id)).toEqual([made[2], made[1]]);
    expect((await on.store.keys.list(workspaceId, made[1], 2)).map(({ id }) => id)).toEqual([made[0]]);
  });

  it('tells who made a key, and who made that one', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const a = await on.store.keys.insert(newKey(workspaceId));
    const b = await on.store.keys.insert(newKey(workspaceId, { createdByKeyId: a.id }));
    const c = await on.store.keys.insert(newKey(workspaceId, { createdByKeyId: b.id }));
    expect(await on.store.keys.lineage(c.id)).toEqual([c.id, b.id, a.id]);
  });

  it('makes a workspace once, whoever asks for it at the same moment', async () => {
    const other = await on.database.open();
    const made = await Promise.all(
      [on.store, other, on.store, other].map((store) => store.keys.ensureWorkspace('acme', `wsp_${nextNumber()}`, t0)),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await on.store.keys.workspaces()).toEqual([made[0]]);
  });

  it('keeps the first check of the secret key', async () => {
    const first = await on.store.keys.secretKeyCheck(Buffer.from('first'));
    expect(await on.store.keys.secretKeyCheck(Buffer.from('second'))).toEqual(first);
    expect(first).toBeInstanceOf(Buffer);
  });
});
