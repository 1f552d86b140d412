import { type Kysely, sql } from 'kysely';
import type { AutomationRef } from '../../core/ports/automation-store.ts';
import type { EndpointRecord, EndpointStore, NewEndpoint, OnceResult } from '../../core/ports/endpoint-store.ts';
import { auditedEndpoint } from '../../core/rules/audited.ts';
import { iso } from '../../core/rules/times.ts';
import type { ChangeAccess } from '../access.ts';
import { changedTo, unchanged } from './endpoint-change.ts';
import { automationsOf } from './automation-runs.ts';
import { bumpVersion } from './bump-version.ts';
import { cancelOwed } from '../cancel-owed.ts';
import { noteFilterErrors } from './filter-errors.ts';
import { lockEndpoints, lockWorkspace } from './lock.ts';
import { existing, withNextAttempt } from './endpoint-reads.ts';
import {
  changedColumns,
  endpointRecord,
  endpointRow,
  isAsSeen,
  updatedAt,
  versionAfter,
  wasActive,
} from './endpoint-rows.ts';
import { endpointKind, endpointStatus, type Tables } from '../tables.ts';

export function endpointStore({ read, write, change }: ChangeAccess): EndpointStore {
  const one = (db: Kysely<Tables>, id: number) =>
    withNextAttempt(db).where('endpoints.id', '=', id).executeTakeFirstOrThrow().then(endpointRecord);

  async function insert(trx: Kysely<Tables>, endpoint: NewEndpoint, countMax: number): Promise<EndpointRecord | null> {
    await lockWorkspace(trx, endpoint.workspaceId);
    const { count } = await trx
      .selectFrom('endpoints')
      .select(({ fn }) => fn.countAll().as('count'))
      .where('workspace_id', '=', endpoint.workspaceId)
      .where('status', '!=', endpointStatus.deleted)
      .executeTakeFirstOrThrow();
    if (Number(count) >= countMax) return null;
    const { id } = await trx
      .insertInto('endpoints')
      .values(endpointRow(endpoint))
      .returning('id')
      .executeTakeFirstOrThrow();
    await insertUrl(trx, id, 1, endpoint.url, endpointStatus[endpoint.status]);
    await insertSecret(trx, id, endpoint.sealedSecret, endpoint.now);
    await bumpVersion(trx, endpoint.workspaceId);
    return one(trx, id);
  }

  return {
    insert: (endpoint, countMax) => change(async (trx) => changedTo(await insert(trx, endpoint, countMax))),

    insertOnce: (endpoint, countMax, once) =>
      change<OnceResult>(async (trx) => {
        const { workspaceId } = endpoint;
        const mine = { workspace_id: workspaceId, principal: once.principal, key: once.key };
        await lockWorkspace(trx, workspaceId);
        await trx
          .deleteFrom('idempotency_keys')
          .where('created_at', '<=', once.now - once.validMs)
          .execute();
        const first = await trx
          .selectFrom('idempotency_keys')
          .select(['request_hash', 'answer'])
          .where('workspace_id', '=', workspaceId)
          .where('principal', '=', once.principal)
          .where('key', '=', once.key)
          .executeTakeFirst();
        if (first !== undefined) {
          const same = once.requestHash.equals(Buffer.from(first.request_hash));
          return unchanged(same ? { outcome: 'repeated', answer: Buffer.from(first.answer) } : { outcome: 'conflict' });
        }
        const created = await insert(trx, endpoint, countMax);
        if (created === null) return unchanged({ outcome: 'limit' });
        await trx
          .insertInto('idempotency_keys')
          .values({ ...mine, request_hash: once.requestHash, answer: once.seal(created), created_at: once.now })
          .execute();
        return { ...changedTo(created), answer: { outcome: 'created', endpoint: created } };
      }),

    async get(workspaceId, kind, publicId) {
      const row = await withNextAttempt(read)
        .where('endpoints.workspace_id', '=', workspaceId)
        .where('endpoints.public_id', '=', publicId)
        .$if(kind !== null, (query) => query.where('endpoints.kind', '=', endpointKind[kind ?? 'subscription']))
        .where('endpoints.status', '!=', endpointStatus.deleted)
        .executeTakeFirst();
      return row === undefined ? null : endpointRecord(row);
    },

    async list(workspaceId, { kind, status, before, limit }) {
      const rows = await withNextAttempt(read)
        .where('endpoints.workspace_id', '=', workspaceId)
        .where('endpoints.kind', '=', endpointKind[kind])
        .where('endpoints.status', '!=', endpointStatus.deleted)
        .$if(status !== undefined, (query) => query.where('endpoints.status', '=', endpointStatus[status ?? 'active']))
        .$if(before !== undefined, (query) => query.where('endpoints.id', '<', before ?? 0))
        .orderBy('endpoints.id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(endpointRecord);
    },

    async failing(workspaceId, now, limit) {
      const rows = await withNextAttempt(read)
        .where('endpoints.workspace_id', '=', workspaceId)
        .where('endpoints.status', '!=', endpointStatus.deleted)
        .where(({ or, eb }) =>
          or([
            eb('endpoints.status', 'in', [endpointStatus.disabled, endpointStatus.pending_approval]),
            eb('endpoints.failing_since', 'is not', null),
            eb('endpoints.held_until', '>', now),
          ]),
        )
        .orderBy(sql`case status when 3 then 0 when 4 then 1 when 1 then 2 else 3 end`)
        .orderBy('endpoints.id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(endpointRecord);
    },

    update: (workspaceId, id, wanted) =>
      change(async (trx) => {
        await lockEndpoints(trx, [id]);
        const row = await existing(trx, workspaceId, id);
        if (row === undefined || !isAsSeen(row, wanted.seen)) return changedTo(null);
        const version = versionAfter(row, wanted);
        await trx
          .updateTable('endpoints')
          .set(changedColumns(row, wanted, version))
          .where('id', '=', id)
          .execute();
        if (version !== row.version) {
          const status = wanted.status === undefined ? row.status : endpointStatus[wanted.status];
          await insertUrl(trx, id, version, wanted.url ?? row.url, status);
        }
        await bumpVersion(trx, workspaceId, row.status === endpointStatus.active ? id : undefined);
        return changedTo(await one(trx, id), endpointRecord(row));
      }),

    async delete(workspaceId, id, now) {
      const usedBy = await change<AutomationRef[] | null>(async (trx) => {
        await lockEndpoints(trx, [id]);
        const row = await existing(trx, workspaceId, id);
        if (row === undefined) return unchanged(null);
        await lockWorkspace(trx, workspaceId);
        const calling = await automationsOf(trx, id);
        if (calling.length > 0) return unchanged(calling);
        await trx
          .updateTable('endpoints')
          .set({ status: endpointStatus.deleted, next_due_at: null, updated_at: now })
          .where('id', '=', id)
          .execute();
        await bumpVersion(trx, workspaceId);
        const before = auditedEndpoint(endpointRecord(row));
        return { answer: [], audit: { workspaceId, target: row.public_id, before, after: null } };
      });
      if (usedBy === null || usedBy.length > 0) return usedBy ?? [];
      while (await write((trx) => cancelOwed(trx, workspaceId, id)));
      return [];
    },

    rotateSecret: (workspaceId, id, sealed, oldValidUntil, now) =>
      change(async (trx) => {
        await lockEndpoints(trx, [id]);
        // Two sign at most, and a secret whose time is over is of no use to anybody but a thief.
        const ended = trx.deleteFrom('endpoint_secrets').where('endpoint_id', '=', id);
        await (oldValidUntil > now ? ended.where('valid_until', 'is not', null) : ended).execute();
        await trx
          .updateTable('endpoint_secrets')
          .set({ valid_until: oldValidUntil })
          .where('endpoint_id', '=', id)
          .execute();
        await insertSecret(trx, id, sealed, now);
        const { version, url, status, public_id } = await trx
          .updateTable('endpoints')
          .set({ version: sql`version + 1`, updated_at: updatedAt(now) })
          .where('workspace_id', '=', workspaceId)
          .where('id', '=', id)
          .returning(['version', 'url', 'status', 'public_id'])
          .executeTakeFirstOrThrow();
        await insertUrl(trx, id, version, url, status);
        const after = { old_secret_valid_until: iso(oldValidUntil) };
        return { answer: undefined, audit: { workspaceId, target: public_id, before: null, after } };
      }),

    approve: (workspaceId, id, url, now) =>
      change(async (trx) => {
        const approved = await trx
          .updateTable('endpoints')
          .set({
            status: endpointStatus.active,
            next_due_at: sql`case when pending_count = 0 then null when held_until > ${now} then held_until else cast(${now} as bigint) end`,
            updated_at: now,
          })
          .where('workspace_id', '=', workspaceId)
          .where('id', '=', id)
          .where('status', '=', endpointStatus.pending_approval)
          .where('url', '=', url)
          .returning('version')
          .executeTakeFirst();
        if (approved === undefined) return changedTo(null);
        await trx
          .updateTable('endpoint_urls')
          .set({ was_active: 1 })
          .where('endpoint_id', '=', id)
          .where('version', '=', approved.version)
          .execute();
        await bumpVersion(trx, workspaceId);
        const record = await one(trx, id);
        return changedTo(record, { ...record, status: 'pending_approval' });
      }),

    noteFilterErrors: (notes) => write((trx) => noteFilterErrors(trx, notes)),

    async knownHosts(workspaceId) {
      const rows = await read
        .selectFrom('endpoint_urls')
        .innerJoin('endpoints', 'endpoints.id', 'endpoint_urls.endpoint_id')
        .select('endpoint_urls.url')
        .where('endpoints.workspace_id', '=', workspaceId)
        .where('endpoint_urls.was_active', '=', 1)
        .distinct()
        .execute();
      return [...new Set(rows.map(({ url }) => new URL(url).host))];
    },
  };
}

async function insertUrl(trx: Kysely<Tables>, endpointId: number, version: number, url: string, status: number) {
  await trx
    .insertInto('endpoint_urls')
    .values({ endpoint_id: endpointId, version, url, was_active: wasActive(status) })
    .execute();
}

async function insertSecret(trx: Kysely<Tables>, endpointId: number, sealed: Buffer, now: number): Promise<void> {
  await trx
    .insertInto('endpoint_secrets')
    .values({ endpoint_id: endpointId, sealed, valid_until: null, created_at: now })
    .execute();
}
