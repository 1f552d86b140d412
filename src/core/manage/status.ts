import type { DispatcherStatus } from '../ports/journey-store.ts';
import type { Inputs } from '../inputs.ts';
import { iso } from '../rules/times.ts';
import type { Principal, Status } from '../types.ts';
import type { Context } from '../use-case.ts';

/** A worker that beat within this time delivers. */
const aliveMs = 10_000;

/** Whether anything delivers, and how much waits. */
export async function readStatus(context: Context, principal: Principal, _input: Inputs['none']): Promise<Status> {
  const now = context.clock.now();
  return showStatus(await context.store.journey.status(principal.workspaceId, now), now);
}

export function showStatus(found: DispatcherStatus, now: number): Status {
  return {
    delivering: found.lastBeatAt !== null && now - found.lastBeatAt < aliveMs,
    workers: found.workers,
    last_heartbeat_at: iso(found.lastBeatAt),
    due_count: found.dueCount,
    oldest_due_at: iso(found.oldestDueAt),
  };
}
