import { attempt, createdSubscription, subscription } from '../../core/types.ts';
import { endpointRoutes } from './endpoints.ts';
import { page } from './page.ts';
import { type Route, route } from './route.ts';

const tag = 'Subscriptions';
const params = { id: 'subscription_id' };

/** A changed URL can come with a warning, as a new one can; a secret is never shown again. */
export const updatedSubscription = createdSubscription.omit({ secret: true });

export const subscriptionRoutes: Route[] = [
  route('createSubscription', {
    method: 'POST',
    path: '/v1/webhooks/subscribe',
    tag,
    summary: 'Subscribe a URL to events',
    description:
      'Without `secret` one is made and shown in this answer only. A URL whose host does not resolve now is accepted with a `warning`.',
    headers: { 'idempotency-key': 'idempotency_key' },
    example: { url: 'https://example.com/webhooks', events: ['contact.created', 'opportunity.*'] },
    answer: { status: 201, description: 'The subscription', schema: createdSubscription },
    errors: ['unknown_event_type', 'invalid_expression', 'target_not_allowed', 'limit_reached', 'idempotency_conflict'],
  }),
  route('listSubscriptions', {
    method: 'GET',
    path: '/v1/webhooks/subscriptions',
    tag,
    summary: 'List subscriptions with their delivery status',
    answer: { status: 200, description: 'A page, newest first', schema: page(subscription) },
  }),
  route('getSubscription', {
    method: 'GET',
    path: '/v1/webhooks/subscriptions/{id}',
    tag,
    summary: 'Read a subscription',
    params,
    answer: { status: 200, description: 'The subscription', schema: subscription },
  }),
  route('updateSubscription', {
    method: 'PATCH',
    path: '/v1/webhooks/subscriptions/{id}',
    tag,
    summary: 'Change, pause or reactivate a subscription',
    description: 'Setting a disabled one active clears `failure_count` and `disabled_reason`.',
    params,
    example: { status: 'active' },
    answer: { status: 200, description: 'The subscription as it is now', schema: updatedSubscription },
    errors: ['unknown_event_type', 'invalid_expression', 'target_not_allowed', 'pending_approval'],
  }),
  route('deleteSubscription', {
    method: 'DELETE',
    path: '/v1/webhooks/subscriptions/{id}',
    tag,
    summary: 'Delete a subscription and cancel what it is owed',
    params,
    answer: { status: 204, description: 'It is gone', schema: null },
  }),
  route('listLogs', {
    method: 'GET',
    path: '/v1/webhooks/logs',
    tag,
    summary: 'List the attempts of every endpoint',
    answer: { status: 200, description: 'A page, newest first', schema: page(attempt) },
    errors: ['not_found'],
  }),
  ...endpointRoutes({
    noun: 'subscription',
    path: '/v1/webhooks/subscriptions',
    tag,
    params,
    shown: subscription,
    created: createdSubscription,
    operations: {
      test: 'testSubscription',
      rotateSecret: 'rotateSecret',
      replay: 'replaySubscription',
      approve: 'approveSubscription',
      listLogs: 'listSubscriptionLogs',
    },
  }),
];
