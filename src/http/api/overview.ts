import { z } from 'zod';
import { attemptDetail } from '../../core/attempt-detail.ts';
import { failingEndpoint, missed, statistics } from '../../core/figures.ts';
import { attempt } from '../../core/types.ts';
import { type Route, route } from './route.ts';

const tag = 'Deliveries';

/** What the page shows beyond the lists, for whoever builds another one. */
export const overviewRoutes: Route[] = [
  route('readStatistics', {
    method: 'GET',
    path: '/v1/statistics',
    tag,
    summary: 'Read attempts over time, success rate and durations',
    answer: { status: 200, description: 'The figures of the period', schema: statistics },
  }),
  route('listFailingEndpoints', {
    method: 'GET',
    path: '/v1/webhooks/failing',
    tag,
    summary: 'List endpoints that do not deliver as they should',
    description: 'Of every kind, disabled ones first; 50 at most.',
    answer: { status: 200, description: 'Worst first', schema: z.object({ data: z.array(failingEndpoint) }) },
  }),
  route('countMissed', {
    method: 'GET',
    path: '/v1/webhooks/missed',
    tag,
    summary: 'Count what a replay would queue',
    description: 'What failed or was never queued since the endpoint fails; counted up to 10,000.',
    answer: { status: 200, description: 'The number', schema: missed },
    errors: ['not_found'],
  }),
  route('getAttempt', {
    method: 'GET',
    path: '/v1/webhooks/logs/{id}',
    tag,
    summary: 'Read an attempt with its request',
    params: { id: 'attempt_id' },
    answer: { status: 200, description: 'The attempt', schema: attemptDetail },
  }),
  route('listDeliveryAttempts', {
    method: 'GET',
    path: '/v1/deliveries/{id}/attempts',
    tag,
    summary: 'List the attempts of a delivery',
    params: { id: 'delivery_id' },
    answer: { status: 200, description: 'Oldest first', schema: z.object({ data: z.array(attempt) }) },
  }),
];
