import type { FailingEndpoint, Missed, Statistics } from '../figures.ts';
import type { Inputs } from '../inputs.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
import { diagnose } from '../rules/diagnose.ts';
import { bucketMs, buckets, percentileMs } from '../rules/statistics.ts';
import { iso } from '../rules/times.ts';
import type { Principal } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';
import { surroundings } from './endpoints.ts';
import { whatItWants } from './replay.ts';

const hourMs = 3_600_000;
/** How far each period looks back, and how wide a bar of its chart is. */
const periods = {
  '1h': { lengthMs: hourMs, stepMs: bucketMs },
  '24h': { lengthMs: 24 * hourMs, stepMs: 6 * bucketMs },
  '7d': { lengthMs: 7 * 24 * hourMs, stepMs: 3 * hourMs },
  '30d': { lengthMs: 30 * 24 * hourMs, stepMs: 12 * hourMs },
} as const;

const failingMax = 50;
const missedMax = 10_000;

/** Attempts of live deliveries over time, how many succeeded, and how long they took. */
export async function readStatistics(
  context: Context,
  principal: Principal,
  input: Inputs['statistics'],
): Promise<Statistics> {
  const { lengthMs, stepMs } = periods[input.period];
  const until = (Math.floor(context.clock.now() / stepMs) + 1) * stepMs;
  const since = until - lengthMs;
  const cells = await context.store.overview.statistics(principal.workspaceId, since, until, stepMs);
  const counted = (succeeded: boolean) =>
    cells.reduce((sum, cell) => sum + (cell.succeeded === succeeded ? cell.count : 0), 0);
  const [succeeded, failed] = [counted(true), counted(false)];
  return {
    since: iso(since),
    until: iso(until),
    succeeded,
    failed,
    success_rate: succeeded + failed === 0 ? null : succeeded / (succeeded + failed),
    p50_ms: percentileMs(cells, 0.5),
    p95_ms: percentileMs(cells, 0.95),
    buckets: buckets(cells, since, until, stepMs).map(({ at, ...counts }) => ({ at: iso(at), ...counts })),
  };
}

/** Endpoints that do not deliver as they should: disabled, waiting for approval, failing or held back; worst first. */
export async function listFailingEndpoints(
  context: Context,
  principal: Principal,
  _input: Inputs['none'],
): Promise<{ data: FailingEndpoint[] }> {
  const around = await surroundings(context, principal);
  const rows = await context.store.endpoints.failing(principal.workspaceId, around.now, failingMax);
  return {
    data: rows.map((row) => ({
      id: row.publicId,
      kind: row.kind,
      name: row.name ?? row.description,
      url: row.url,
      status: row.status,
      failing_since: iso(row.failingSince),
      failure_count: row.failureCount,
      pending_count: row.pendingCount,
      disabled_reason: row.disabledReason,
      diagnosis: diagnose(row, around),
    })),
  };
}

/** What `replay` from this time on would queue at most: what failed and what was never queued. */
export async function countMissed(context: Context, principal: Principal, input: Inputs['missed']): Promise<Missed> {
  const { workspaceId } = principal;
  const endpoint = await context.store.endpoints.get(workspaceId, null, input.endpoint_id);
  if (endpoint === null) throw notFound('endpoint');
  const { types, takes } = await whatItWants(context, endpoint);
  const since = input.since === undefined ? missedSince(endpoint) : Date.parse(input.since);
  const found =
    types.length === 0
      ? 0
      : await context.store.overview.countReplay(workspaceId, {
          endpointId: endpoint.id,
          types,
          afterEventId: await context.store.deliveries.eventBefore(since),
          since,
          countMax: missedMax + 1,
        });
  return {
    count: Math.min(found, missedMax),
    more: found > missedMax,
    filtered: takes !== null,
    since: iso(since),
  };
}

/** Since when it may have missed something: it is failing since then, or was last changed then. */
function missedSince({ failingSince, disabledAt, updatedAt, status, createdAt }: EndpointRecord): number {
  if (status === 'active' && failingSince === null) return createdAt;
  return Math.min(...[failingSince, disabledAt, updatedAt].filter((at) => at !== null));
}
