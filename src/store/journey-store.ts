import { sql } from 'kysely';
import type { JourneyStore } from '../core/ports/journey-store.ts';
import type { AttemptRecord } from '../core/ports/record-store.ts';
import type { Access } from './access.ts';
import type { GroupCommit } from './group-commit.ts';
import { type JourneyOp, type JourneyResult, rowsOf } from './journey-op.ts';
import { cancelForgotten } from './cancel-owed.ts';
import { readMatchable } from './matchable.ts';
import { prune } from './prune.ts';
import { deliveryState, endpointKind, endpointStatus } from './tables.ts';
import { nextToFanOut } from './to-fan-out.ts';

/** Counting what is due stops here: past it, only "many" is of interest. */
const dueCountMax = 10_000;

/** The journey's port on either engine: its writing goes through group commits, its reading past them. */
export function journeyStore(
  access: Access,
  commits: Pick<GroupCommit<JourneyOp, JourneyResult>, 'add'>,
): JourneyStore {
  const { read } = access;
  // The result belongs to the operation: the engines' run-group keeps that promise.
  const run = <R extends JourneyResult>(op: JourneyOp): Promise<R> => commits.add(op, rowsOf(op)) as Promise<R>;
  return {
    accept: (batch) => run({ kind: 'accept', batch }),
    lease: (workerId, shares, now) => run({ kind: 'lease', workerId, shares, now }),
    settle: (workerId, settlements) => run({ kind: 'settle', workerId, settlements }),
    giveBack: async (workerId, deliveryIds, dueAt) =>
      void (await run({ kind: 'giveBack', workerId, deliveryIds, dueAt })),
    // The excerpt as it came: a Buffer that has been to the writer's thread comes back as a mere Uint8Array.
    recordTest: async (test) => ({
      ...(await run<AttemptRecord>({ kind: 'recordTest', test })),
      excerpt: test.attempt.excerpt,
    }),
    fanOut: (step) => run({ kind: 'fanOut', step }),
    registerWorker: (name, now) => run({ kind: 'registerWorker', name, now }),
    beat: (workerId, now) => run({ kind: 'beat', workerId, now }),
    retireWorker: async (workerId, unsent, now) => void (await run({ kind: 'retireWorker', workerId, unsent, now })),

    async reapWorkers(silentSince, now, leasesMax) {
      const silent = await read
        .selectFrom('workers')
        .select('id')
        .where('beat_at', '<', silentSince)
        .limit(1)
        .execute();
      return silent.length === 0 ? 0 : run({ kind: 'reapWorkers', silentSince, now, leasesMax });
    },

    matchable: (workspaceId, activeAt) => readMatchable(read, workspaceId, activeAt),

    async dueEndpoints(now, countMax) {
      const rows = await read
        .selectFrom('endpoints')
        .select(['id', 'workspace_id', 'failing_since'])
        .where('status', '=', sql.lit(endpointStatus.active))
        .where('next_due_at', '<=', now)
        .orderBy('next_due_at')
        .limit(countMax)
        .execute();
      return rows.map((row) => ({ id: row.id, workspaceId: row.workspace_id, failing: row.failing_since !== null }));
    },

    async sendable(endpointIds, now) {
      const rows = await read
        .selectFrom('endpoints')
        .select(['id', 'version'])
        .where('id', 'in', endpointIds)
        .where('status', '=', sql.lit(endpointStatus.active))
        .where(({ or, eb }) => or([eb('held_until', 'is', null), eb('held_until', '<=', now)]))
        .execute();
      return new Map(rows.map(({ id, version }) => [id, version]));
    },

    async nextDueAt() {
      const row = await read
        .selectFrom('endpoints')
        .select('next_due_at')
        .where('status', '=', sql.lit(endpointStatus.active))
        .where('next_due_at', 'is not', null)
        .orderBy('next_due_at')
        .limit(1)
        .executeTakeFirst();
      return row?.next_due_at ?? null;
    },

    async target(endpointId) {
      const row = await read
        .selectFrom('endpoints')
        .select(['id', 'public_id', 'workspace_id', 'kind', 'version', 'url', 'include_data', 'headers'])
        .where('id', '=', endpointId)
        // What was leased before its endpoint moved to a new host must not follow it there.
        .where('status', 'not in', [endpointStatus.deleted, endpointStatus.pending_approval])
        .executeTakeFirst();
      if (row === undefined) return null;
      const secrets = await read
        .selectFrom('endpoint_secrets')
        .select(['sealed', 'valid_until'])
        .where('endpoint_id', '=', endpointId)
        .orderBy('id', 'desc')
        .execute();
      return {
        endpointId: row.id,
        publicId: row.public_id,
        workspaceId: row.workspace_id,
        kind: row.kind === endpointKind.config ? 'config' : 'subscription',
        version: row.version,
        url: row.url,
        includeData: row.include_data === 1,
        sealedHeaders: row.headers,
        secrets: secrets.map((secret) => ({ sealed: secret.sealed, validUntil: secret.valid_until })),
      };
    },

    nextToFanOut: (countMax, afterWorkspaceId = 0, deliveriesMax = Infinity) =>
      nextToFanOut(read, countMax, afterWorkspaceId, deliveriesMax),

    cancelForgotten: (afterEndpointId) => cancelForgotten(access, afterEndpointId),

    prune: (position, before) => prune(access, position, before),

    async status(workspaceId, now) {
      const workers = await read
        .selectFrom('workers')
        .select(({ fn }) => [fn.countAll().as('count'), fn.max('beat_at').as('beat_at')])
        .executeTakeFirstOrThrow();
      const due = read
        .selectFrom('endpoints')
        .innerJoin('deliveries', 'deliveries.endpoint_id', 'endpoints.id')
        .select('deliveries.due_at')
        .where('endpoints.status', '=', sql.lit(endpointStatus.active))
        .where('endpoints.next_due_at', '<=', now)
        .where('deliveries.state', '=', sql.lit(deliveryState.pending))
        .where('deliveries.due_at', '<=', now)
        .$if(workspaceId !== null, (query) => query.where('endpoints.workspace_id', '=', workspaceId))
        .limit(dueCountMax)
        .as('due');
      const queue = await read
        .selectFrom(due)
        .select(({ fn }) => [fn.countAll().as('count'), fn.min('due_at').as('oldest')])
        .executeTakeFirstOrThrow();
      return {
        workers: Number(workers.count),
        lastBeatAt: workers.beat_at,
        dueCount: Number(queue.count),
        oldestDueAt: queue.oldest,
      };
    },
  };
}
