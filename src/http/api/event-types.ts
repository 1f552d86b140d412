import { eventType } from '../../core/types.ts';
import { page } from './page.ts';
import { type Route, route } from './route.ts';

export const eventTypeRoutes: Route[] = [
  route('listEventTypes', {
    method: 'GET',
    path: '/v1/event-types',
    tag: 'Event types',
    summary: 'List the catalogue of event types',
    answer: { status: 200, description: 'A page of the catalogue', schema: page(eventType) },
  }),
  route('putEventType', {
    method: 'PUT',
    path: '/v1/event-types/{name}',
    tag: 'Event types',
    summary: 'Add or change an event type',
    params: { name: 'name' },
    example: { description: 'An invoice was paid.', example: { invoice_id: 'inv_1', total: 120 } },
    answer: { status: 200, description: 'The event type', schema: eventType },
  }),
  route('deleteEventType', {
    method: 'DELETE',
    path: '/v1/event-types/{name}',
    tag: 'Event types',
    summary: 'Take an event type away',
    description: 'A built-in one that was changed is as it was again.',
    params: { name: 'name' },
    answer: { status: 204, description: 'It is gone', schema: null },
    errors: ['built_in'],
  }),
];
