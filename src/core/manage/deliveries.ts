import { PosthornError } from '../errors.ts';
import { type Inputs, limits } from '../inputs.ts';
import type { RetryOutcome } from '../ports.ts';
import { rowBefore, rowOf } from '../rules/ids.ts';
import { wants } from '../rules/match.ts';
import { showDelivery } from '../rules/show.ts';
import { iso } from '../rules/times.ts';
import type { Delivery, Page, Principal, Replayed } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';
import { catalogue } from './event-types.ts';
import { page } from './logs.ts';

/** One step of a replay holds the database for no longer than these rows take. */
const replayStepMax = 500;
/** Events of one replay, so that one call answers in time. */
const replayMax = limits.replayDeliveriesMax;

export async function listDeliveries(
  context: Context,
  principal: Principal,
  input: Inputs['listDeliveries'],
): Promise<Page<Delivery>> {
  const { workspaceId } = principal;
  let endpointId: number | undefined;
  if (input.endpoint_id !== undefined) {
    const endpoint = await context.store.endpoints.get(workspaceId, null, input.endpoint_id);
    if (endpoint === null) throw notFound('endpoint');
    endpointId = endpoint.id;
  }
  const rows = await context.store.records.deliveries(workspaceId, {
    endpointId,
    status: input.status,
    before: rowBefore(input.cursor),
    limit: input.limit + 1,
  });
  return page(rows, input.limit, showDelivery);
}

export async function getDelivery(
  context: Context,
  principal: Principal,
  input: Inputs['deliveryId'],
): Promise<Delivery> {
  const row = rowOf('dlv', input.delivery_id);
  const record = row === null ? null : await context.store.records.delivery(principal.workspaceId, row);
  if (record === null) throw notFound('delivery');
  return showDelivery(record);
}

const notRetried: Partial<Record<RetryOutcome, string>> = {
  canceled: 'It was canceled, with its endpoint or with the payload of its event.',
  erased: 'The payload of its event was erased, so there is nothing left to send.',
  test: 'It belongs to a test: run the test again instead.',
};

/** One more attempt now, whatever the schedule says. Frees the endpoint when it is held back. */
export async function retryDelivery(
  context: Context,
  principal: Principal,
  input: Inputs['deliveryId'],
): Promise<Delivery> {
  const { workspaceId } = principal;
  const row = rowOf('dlv', input.delivery_id);
  if (row === null) throw notFound('delivery');
  const outcome = await context.store.deliveries.retry(workspaceId, row, context.clock.now());
  if (outcome === 'not_found') throw notFound('delivery');
  if (outcome === 'not_active')
    throw new PosthornError('not_active', 'Its endpoint is not active, so nothing is sent.');
  const reason = notRetried[outcome];
  if (reason !== undefined) throw new PosthornError('not_retryable', reason);
  context.wake();
  return getDelivery(context, principal, input);
}

/**
 * Queues retained events again that the subscription wants now: the same deliveries with a fresh schedule. At most 10,000
 * a call; `next_since` says where to go on.
 */
export async function replaySubscription(
  context: Context,
  principal: Principal,
  input: Inputs['replay'],
): Promise<Replayed> {
  const { workspaceId } = principal;
  const { store, clock } = context;
  const endpoint = await store.endpoints.get(workspaceId, 'subscription', input.subscription_id);
  if (endpoint === null) throw notFound('subscription');
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
