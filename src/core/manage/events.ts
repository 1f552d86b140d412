import type { Inputs } from '../inputs.ts';
import { rowBefore } from '../rules/ids.ts';
import { showDelivery, showEvent } from '../rules/show.ts';
import type { Event, EventWithDeliveries, Page, Principal } from '../types.ts';
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
  const { rows } = await context.store.records.deliveries(workspaceId, {
    eventId: record.id,
    limit: deliveriesOfEventMax,
  });
  return { ...showEvent(record, scopes.has('payloads:read')), deliveries: rows.map(showDelivery) };
}

/** Erases the payload for good and keeps the log; what is pending of it is canceled. */
export async function eraseEventData(context: Context, principal: Principal, input: Inputs['eventId']): Promise<Event> {
  const record = await context.store.deliveries.erase(principal.workspaceId, input.event_id, context.clock.now());
  if (record === null) throw notFound('event');
  return showEvent(record, false);
}
