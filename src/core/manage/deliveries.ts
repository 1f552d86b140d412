import type { Inputs } from '../inputs.ts';
import { rowBefore, rowOf } from '../rules/ids.ts';
import { showDelivery, showEvent } from '../rules/show.ts';
import type { Delivery, Event, EventWithDeliveries, Page, Principal } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';
import { page } from './logs.ts';

/** Deliveries shown with their event; more are in the list of deliveries. */
const deliveriesOfEventMax = 200;

export async function listEvents(
  context: Context,
  principal: Principal,
  input: Inputs['listEvents'],
): Promise<Page<Event>> {
  const rows = await context.store.records.events(principal.workspaceId, {
    type: input.event_type,
    before: rowBefore(input.cursor),
    limit: input.limit + 1,
  });
  return page(rows, input.limit, (row) => showEvent(row, false));
}

/** The event with its deliveries; its data only for who holds payloads:read. */
export async function getEvent(
  context: Context,
  principal: Principal,
  input: Inputs['eventId'],
): Promise<EventWithDeliveries> {
  const { workspaceId, scopes } = principal;
  const record = await context.store.records.event(workspaceId, input.event_id);
  if (record === null) throw notFound('event');
  const rows = await context.store.records.deliveries(workspaceId, { eventId: record.id, limit: deliveriesOfEventMax });
  return { ...showEvent(record, scopes.has('payloads:read')), deliveries: rows.map(showDelivery) };
}

export async function listDeliveries(
  context: Context,
  principal: Principal,
  input: Inputs['listDeliveries'],
): Promise<Page<Delivery>> {
  const { workspaceId } = principal;
  let endpointId: number | undefined;
  if (input.endpoint_id !== undefined) {
    const endpoint = await context.store.endpoints.get(workspaceId, 'subscription', input.endpoint_id);
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
