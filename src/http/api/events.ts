import { z } from 'zod';
import type { PublishAnswer } from '../../core/core.ts';
import { inputs, limits } from '../../core/inputs.ts';
import { event, eventWithDeliveries, published } from '../../core/types.ts';
import type { Answer } from '../answer.ts';
import { page } from './page.ts';
import { type Route, route } from './route.ts';

const tag = 'Events';
const publishedOneOrMany = z.union([published, z.object({ data: z.array(published) })]);

const publish: Route = {
  method: 'POST',
  path: '/v1/events',
  operationId: 'publish',
  tag,
  summary: 'Publish an event, or up to 1,000 at once',
  description:
    'Answers after the commit. The same `id` again answers as the first time and delivers nothing twice. An array is taken whole or not at all.',
  scope: 'events:write',
  input: inputs.publish,
  params: {},
  headers: {},
  arrayItemsMax: limits.eventsPerPublishMax,
  example: { type: 'contact.created', data: { contact: { id: 'con_1', name: 'Ada Lovelace' } } },
  answers: [
    { status: 202, description: 'Stored; an array is answered by an array in `data`', schema: publishedOneOrMany },
    { status: 200, description: 'Published before: the first answer again', schema: publishedOneOrMany },
  ],
  errors: ['unknown_event_type', 'event_id_conflict', 'rate_limited'],
  frequent: true,
  async run(core, principal, body): Promise<Answer> {
    if (!Array.isArray(body)) {
      const one = await core.publish(principal, body);
      return { status: publishStatus([one]), json: one.published };
    }
    const many = await core.publishMany(principal, body);
    return { status: publishStatus(many), json: { data: many.map((one) => one.published) } };
  },
};

export const eventRoutes: Route[] = [
  publish,
  route('listEvents', {
    method: 'GET',
    path: '/v1/events',
    tag,
    summary: 'List events',
    description: 'Without `data` and `deliveries`, which each event shows when it is read by itself.',
    answer: { status: 200, description: 'A page, newest first', schema: page(event) },
  }),
  route('getEvent', {
    method: 'GET',
    path: '/v1/events/{id}',
    tag,
    summary: 'Read an event with its deliveries',
    description: '`data` is there for keys with `payloads:read`.',
    params: { id: 'event_id' },
    answer: { status: 200, description: 'The event', schema: eventWithDeliveries },
  }),
  route('eraseEventData', {
    method: 'DELETE',
    path: '/v1/events/{id}/data',
    tag,
    summary: 'Erase the payload of an event',
    description: 'The log stays; pending deliveries are canceled. It cannot be undone.',
    params: { id: 'event_id' },
    answer: { status: 204, description: 'It is erased', schema: null },
  }),
];

function publishStatus(answers: PublishAnswer[]): number {
  return answers.every((one) => one.repeated) ? 200 : 202;
}
