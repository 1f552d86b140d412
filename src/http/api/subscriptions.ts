import { attempt, createdSubscription, replayed, subscription } from '../../core/types.ts';
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
  route('testSubscription', {
    method: 'POST',
    path: '/v1/webhooks/subscriptions/{id}/test',
    tag,
    summary: 'Send a sample now and tell what came of it',
    description: 'Changes no counter; also while paused or disabled. 200 whatever the receiver answered.',
    params,
    example: { event_type: 'contact.created' },
    answer: { status: 200, description: 'The attempt', schema: attempt },
    errors: ['pending_approval', 'unknown_event_type'],
  }),
  route('rotateSecret', {
    method: 'POST',
    path: '/v1/webhooks/subscriptions/{id}/rotate-secret',
    tag,
    summary: 'Give a subscription a new secret',
    description:
      'Old and new secret sign for 24 hours, or for `overlap` (`0s` to `7d`). Without `secret` one is made and shown in this answer only.',
    params,
    example: { overlap: '48h' },
    answer: { status: 200, description: 'The subscription, with a secret that was made', schema: createdSubscription },
  }),
  route('replaySubscription', {
    method: 'POST',
    path: '/v1/webhooks/subscriptions/{id}/replay',
    tag,
    summary: 'Queue retained events again',
    description:
      'At most 10,000 a call; go on with `next_since`. `failed`: their schedule was used up; `missed`: never queued; `all`: delivered ones too; left out: failed and missed.',
    params,
    example: { since: '2026-11-23T00:00:00Z' },
    answer: { status: 200, description: 'How many were queued', schema: replayed },
    errors: ['not_active'],
  }),
  route('approveSubscription', {
    method: 'POST',
    path: '/v1/webhooks/subscriptions/{id}/approve',
    tag,
    summary: 'Let a pending subscription receive',
    description:
      'Never by the key that created it or chose its host, nor by one that such a key made. `url`, when sent, has to be the one it has now.',
    params,
    answer: { status: 200, description: 'The subscription as it is now', schema: subscription },
    errors: ['approval_denied', 'pending_approval'],
  }),
  route('listLogs', {
    method: 'GET',
    path: '/v1/webhooks/logs',
    tag,
    summary: 'List the attempts of every endpoint',
    answer: { status: 200, description: 'A page, newest first', schema: page(attempt) },
    errors: ['not_found'],
  }),
  route('listSubscriptionLogs', {
    method: 'GET',
    path: '/v1/webhooks/subscriptions/{id}/logs',
    tag,
    summary: 'List the attempts made for a subscription',
    params,
    answer: { status: 200, description: 'A page, newest first', schema: page(attempt) },
  }),
];
