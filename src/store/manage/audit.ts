import type { Kysely } from 'kysely';
import type { AuditEntry, AuditRecord, AuditStore, Author, ChainedRecord } from '../../core/ports/audit-store.ts';
import { linkHash } from '../../core/rules/audit.ts';
import type { Access } from '../access.ts';
import type { Tables } from '../tables.ts';
import { lockWorkspace } from './lock.ts';

/**
 * Appends one row to the chain of its workspace. Last in its transaction: the workspace is locked until the end of it, and
 * everybody locks endpoints before it.
 */
export async function appendAudit(trx: Kysely<Tables>, author: Author, entry: AuditEntry): Promise<void> {
  await lockWorkspace(trx, entry.workspaceId);
  const workspace = await trx
    .selectFrom('workspaces')
    .select(['public_id', 'audit_count', 'audit_hash'])
    .where('id', '=', entry.workspaceId)
    .executeTakeFirstOrThrow();
  const { action, principal, now } = author;
  const record: AuditRecord = {
    seq: workspace.audit_count + 1,
    at: now,
    action,
    target: entry.target,
    principalKind: principal.kind,
    principalKeyId: principal.keyId === null ? null : await publicKeyId(trx, principal.keyId),
    principalName: principal.name,
    face: principal.via.face,
    client: principal.via.client,
    before: entry.before === null ? null : JSON.stringify(entry.before),
    after: entry.after === null ? null : JSON.stringify(entry.after),
  };
  const hash = linkHash(Buffer.from(workspace.audit_hash), workspace.public_id, record);
  await trx
    .insertInto('audit')
    .values({ workspace_id: entry.workspaceId, ...columns(record), hash })
    .execute();
  await trx
    .updateTable('workspaces')
    .set({ audit_count: record.seq, audit_hash: hash })
    .where('id', '=', entry.workspaceId)
    .execute();
}

export function auditStore({ read }: Pick<Access, 'read'>): AuditStore {
  const rows = (workspaceId: number) => read.selectFrom('audit').selectAll().where('workspace_id', '=', workspaceId);
  return {
    async list(workspaceId, { action, target, principalKeyId, face, since, until, before, limit }) {
      const found = await rows(workspaceId)
        .$if(action !== undefined, (query) => query.where('action', '=', action ?? ''))
        .$if(target !== undefined, (query) => query.where('target', '=', target ?? ''))
        .$if(principalKeyId !== undefined, (query) => query.where('principal_key_id', '=', principalKeyId ?? ''))
        .$if(face !== undefined, (query) => query.where('face', '=', face ?? ''))
        .$if(since !== undefined, (query) => query.where('at', '>=', since ?? 0))
        .$if(until !== undefined, (query) => query.where('at', '<', until ?? 0))
        .$if(before !== undefined, (query) => query.where('seq', '<', before ?? 0))
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute();
      return found.map(chained);
    },

    async chain(workspaceId, afterSeq, limit) {
      const found = await rows(workspaceId).where('seq', '>', afterSeq).orderBy('seq').limit(limit).execute();
      return found.map(chained);
    },

    async heads() {
      const found = await read.selectFrom('workspaces').selectAll().orderBy('id').execute();
      return found.map((row) => ({
        workspaceId: row.id,
        workspacePublicId: row.public_id,
        workspaceName: row.name,
        count: row.audit_count,
        hash: Buffer.from(row.audit_hash),
      }));
    },
  };
}

async function publicKeyId(trx: Kysely<Tables>, id: number): Promise<string> {
  const row = await trx.selectFrom('keys').select('public_id').where('id', '=', id).executeTakeFirstOrThrow();
  return row.public_id;
}

function columns(record: AuditRecord): Omit<Tables['audit'], 'workspace_id' | 'hash'> {
  const { principalKind, principalKeyId, principalName, ...rest } = record;
  return { ...rest, principal_kind: principalKind, principal_key_id: principalKeyId, principal_name: principalName };
}

/** As it stands there: whether these are actions and faces that the program knows, the chain tells. */
function chained(row: Tables['audit']): ChainedRecord {
  const { seq, at, target, client, before, after } = row;
  return {
    seq,
    at,
    action: row.action as ChainedRecord['action'],
    target,
    principalKind: row.principal_kind as ChainedRecord['principalKind'],
    principalKeyId: row.principal_key_id,
    principalName: row.principal_name,
    face: row.face as ChainedRecord['face'],
    client,
    before,
    after,
    hash: Buffer.from(row.hash),
  };
}
