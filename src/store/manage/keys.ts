import type { KeyRecord, KeyStore } from '../../core/ports/key-store.ts';
import type { Scope } from '../../core/vocabulary.ts';
import { chainStart } from '../../core/rules/audit.ts';
import { auditedKey } from '../../core/rules/audited.ts';
import type { ChangeAccess } from '../access.ts';
import type { Tables } from '../tables.ts';

export type KeyRow = Omit<Tables['keys'], 'id'> & { id: number };

export function keyStore({ read, write, change }: ChangeAccess): KeyStore {
  return {
    async find(hash) {
      const row = await read.selectFrom('keys').selectAll().where('hash', '=', hash).executeTakeFirst();
      return row === undefined ? null : keyRecord(row);
    },

    touch: (id, now) =>
      write(async (trx) => {
        await trx.updateTable('keys').set({ last_used_at: now }).where('id', '=', id).execute();
      }),

    insert: (key) =>
      change(async (trx) => {
        const row = await trx
          .insertInto('keys')
          .values({
            public_id: key.publicId,
            workspace_id: key.workspaceId,
            name: key.name,
            hash: key.hash,
            last4: key.last4,
            scopes: JSON.stringify(key.scopes),
            created_by_key_id: key.createdByKeyId,
            created_at: key.now,
            expires_at: key.expiresAt,
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        const made = keyRecord(row);
        const { workspaceId, publicId } = made;
        return { answer: made, audit: { workspaceId, target: publicId, before: null, after: auditedKey(made) } };
      }),

    async list(workspaceId, before, limit) {
      const rows = await read
        .selectFrom('keys')
        .selectAll()
        .where('workspace_id', '=', workspaceId)
        .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(keyRecord);
    },

    async lineage(id) {
      const ids: number[] = [];
      for (let next: number | null = id; next !== null && !ids.includes(next); ) {
        ids.push(next);
        const row: { created_by_key_id: number | null } | undefined = await read
          .selectFrom('keys')
          .select('created_by_key_id')
          .where('id', '=', next)
          .executeTakeFirst();
        next = row?.created_by_key_id ?? null;
      }
      return ids;
    },

    revoke: (workspaceId, publicId, now) =>
      change(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable('keys')
          .set({ revoked_at: now })
          .where('workspace_id', '=', workspaceId)
          .where('public_id', '=', publicId)
          .where('revoked_at', 'is', null)
          .executeTakeFirstOrThrow();
        const row = await trx
          .selectFrom('keys')
          .selectAll()
          .where('workspace_id', '=', workspaceId)
          .where('public_id', '=', publicId)
          .executeTakeFirst();
        if (row === undefined) return { answer: null, audit: null };
        const key = keyRecord(row);
        if (numUpdatedRows === 0n) return { answer: key, audit: null };
        const before = auditedKey({ ...key, revokedAt: null });
        return { answer: key, audit: { workspaceId, target: publicId, before, after: auditedKey(key) } };
      }),

    async count() {
      const { count } = await read
        .selectFrom('keys')
        .select(({ fn }) => fn.countAll().as('count'))
        .executeTakeFirstOrThrow();
      return Number(count);
    },

    async workspaces() {
      const rows = await read.selectFrom('workspaces').selectAll().orderBy('id').execute();
      return rows.map((row) => ({ id: row.id, publicId: row.public_id, name: row.name, createdAt: row.created_at }));
    },

    ensureWorkspace: (name, publicId, now) =>
      change(async (trx) => {
        const chain = { audit_count: chainStart.seq, audit_hash: chainStart.hash };
        const { numInsertedOrUpdatedRows } = await trx
          .insertInto('workspaces')
          .values({ public_id: publicId, name, version: 1, ...chain, created_at: now })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .executeTakeFirstOrThrow();
        const row = await trx.selectFrom('workspaces').selectAll().where('name', '=', name).executeTakeFirstOrThrow();
        const workspace = { id: row.id, publicId: row.public_id, name: row.name, createdAt: row.created_at };
        if (numInsertedOrUpdatedRows !== 1n) return { answer: workspace, audit: null };
        return {
          answer: workspace,
          audit: { workspaceId: row.id, target: row.public_id, before: null, after: { name } },
        };
      }),

    secretKeyCheck: (check) =>
      write(async (trx) => {
        await trx
          .insertInto('meta')
          .values({ name: 'secret_key_check', value: check })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .execute();
        const row = await trx
          .selectFrom('meta')
          .select('value')
          .where('name', '=', 'secret_key_check')
          .executeTakeFirstOrThrow();
        return Buffer.from(row.value);
      }),
  };
}

export function keyRecord(row: KeyRow): KeyRecord {
  return {
    id: row.id,
    publicId: row.public_id,
    workspaceId: row.workspace_id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as Scope[],
    last4: row.last4,
    createdByKeyId: row.created_by_key_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
