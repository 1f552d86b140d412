import { PosthornError } from '../errors.ts';
import { type Inputs, limits } from '../inputs.ts';
import type { EndpointRecord } from '../ports.ts';
import { wants } from '../rules/match.ts';
import { iso } from '../rules/times.ts';
import type { Replayed } from '../types.ts';
import type { Context } from '../use-case.ts';
import { catalogue } from './event-types.ts';

/** One step of a replay holds the database for no longer than these rows take. */
const replayStepMax = 500;
/** Events of one replay, so that one call answers in time. */
const replayMax = limits.replayDeliveriesMax;

/**
 * Queues retained events again that the endpoint wants now: the same deliveries with a fresh schedule. At most 10,000 a
 * call; `next_since` says where to go on.
 */
export async function replayEndpoint(
  context: Context,
  endpoint: EndpointRecord,
  input: Pick<Inputs['replay'], 'since' | 'until' | 'status'>,
): Promise<Replayed> {
  const { store, clock } = context;
  const { workspaceId } = endpoint;
  if (endpoint.status !== 'active') {
    throw new PosthornError('not_active', `It is ${endpoint.status.replace('_', ' ')}, so nothing would be sent.`);
  }
  const types = (await catalogue(context, workspaceId))
    .map(({ name }) => name)
    .filter((name) => wants(endpoint.events, name));
  const since = Date.parse(input.since);
  const until = input.until === undefined ? clock.now() + 1 : Date.parse(input.until);
  let queued = 0;
  let afterEventId: number | null = await store.deliveries.eventBefore(since);
  let nextAt: number | null = null;
  while (afterEventId !== null && types.length > 0 && queued < replayMax) {
    const step = await store.deliveries.replay(workspaceId, {
      endpointId: endpoint.id,
      types,
      afterEventId,
      since,
      until,
      failed: input.status !== 'missed',
      missed: input.status !== 'failed',
      succeeded: input.status === 'all',
      countMax: Math.min(replayStepMax, replayMax - queued),
      now: clock.now(),
    });
    queued += step.queued;
    afterEventId = step.lastEventId;
    nextAt = step.nextAt;
  }
  context.wake();
  return { queued, next_since: iso(nextAt) };
}
