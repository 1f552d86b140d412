import { delivery } from '../../core/types.ts';
import { page } from './page.ts';
import { type Route, route } from './route.ts';

const tag = 'Deliveries';

export const deliveryRoutes: Route[] = [
  route('listDeliveries', {
    method: 'GET',
    path: '/v1/deliveries',
    tag,
    summary: 'List deliveries',
    answer: { status: 200, description: 'A page, newest first', schema: page(delivery) },
    errors: ['not_found'],
  }),
  route('getDelivery', {
    method: 'GET',
    path: '/v1/deliveries/{id}',
    tag,
    summary: 'Read a delivery',
    params: { id: 'delivery_id' },
    answer: { status: 200, description: 'The delivery', schema: delivery },
  }),
  route('retryDelivery', {
    method: 'POST',
    path: '/v1/deliveries/{id}/retry',
    tag,
    summary: 'Make one more attempt now',
    params: { id: 'delivery_id' },
    answer: { status: 200, description: 'The delivery as it is now', schema: delivery },
    errors: ['not_active', 'not_retryable'],
  }),
];
