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
];
