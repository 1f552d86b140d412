import { PosthornError } from '../errors.ts';
import type { Inputs } from '../inputs.ts';
import type { RetryOutcome } from '../ports/delivery-store.ts';
import { rowBefore, rowOf } from '../rules/ids.ts';
import { showDelivery } from '../rules/show.ts';
import type { Delivery, Page, Principal } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';
import { page } from './logs.ts';

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
  const { rows, goOnBefore } = await context.store.records.deliveries(workspaceId, {
    endpointId,
    status: input.status,
    before: rowBefore(input.cursor),
    limit: input.limit + 1,
  });
  return page(rows, input.limit, showDelivery, goOnBefore);
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
