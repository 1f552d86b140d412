import { attempt, createdWebhookConfig, replayed, webhookConfig } from '../../core/types.ts';
import { page } from './page.ts';
import { type Route, route } from './route.ts';

const tag = 'Configs';
const params = { id: 'config_id' };

/** A changed URL can come with a warning, as a new one can; a secret is never shown again. */
export const updatedWebhookConfig = createdWebhookConfig.omit({ secret: true });

export const configRoutes: Route[] = [
  route('createConfig', {
    method: 'POST',
    path: '/v1/webhooks/configs',
    tag,
    summary: 'Create a webhook config',
    description:
      'An endpoint with a name and headers of its own. It fires on its `trigger_events`, of which there may be none, and from automations; both at once deliver once. Without `secret` one is made and shown in this answer only.',
    headers: { 'idempotency-key': 'idempotency_key' },
    example: {
      name: 'Notify the team',
      url: 'https://example.com/webhooks',
      headers: { Authorization: 'Bearer your-token' },
      trigger_events: ['opportunity.won'],
      include_trigger_data: true,
    },
    answer: { status: 201, description: 'The config', schema: createdWebhookConfig },
    errors: ['unknown_event_type', 'target_not_allowed', 'limit_reached', 'idempotency_conflict'],
  }),
  route('listConfigs', {
    method: 'GET',
    path: '/v1/webhooks/configs',
    tag,
    summary: 'List configs with their delivery status',
    answer: { status: 200, description: 'A page, newest first', schema: page(webhookConfig) },
  }),
  route('getConfig', {
    method: 'GET',
    path: '/v1/webhooks/configs/{id}',
    tag,
    summary: 'Read a config',
    params,
    answer: { status: 200, description: 'The config', schema: webhookConfig },
  }),
  route('updateConfig', {
    method: 'PATCH',
    path: '/v1/webhooks/configs/{id}',
    tag,
    summary: 'Change, pause or reactivate a config',
    description:
      '`headers` replaces all that were there; a masked value keeps what is stored under its name. When the URL moves to another host, header values have to be sent again. Setting a disabled one active clears `failure_count` and `disabled_reason`.',
    params,
    example: { status: 'active' },
    answer: { status: 200, description: 'The config as it is now', schema: updatedWebhookConfig },
    errors: ['unknown_event_type', 'target_not_allowed', 'pending_approval'],
  }),
  route('deleteConfig', {
    method: 'DELETE',
    path: '/v1/webhooks/configs/{id}',
    tag,
    summary: 'Delete a config and cancel what it is owed',
    params,
    answer: { status: 204, description: 'It is gone', schema: null },
    errors: ['config_in_use'],
  }),
  route('testConfig', {
    method: 'POST',
    path: '/v1/webhooks/configs/{id}/test',
    tag,
    summary: 'Send a sample now and tell what came of it',
    description: 'Changes no counter; also while paused or disabled. 200 whatever the receiver answered.',
    params,
    example: { event_type: 'contact.created' },
    answer: { status: 200, description: 'The attempt', schema: attempt },
    errors: ['pending_approval', 'unknown_event_type'],
  }),
  route('rotateConfigSecret', {
    method: 'POST',
    path: '/v1/webhooks/configs/{id}/rotate-secret',
    tag,
    summary: 'Give a config a new secret',
    description:
      'Old and new secret sign for 24 hours, or for `overlap` (`0s` to `7d`). Without `secret` one is made and shown in this answer only.',
    params,
    example: { overlap: '48h' },
    answer: { status: 200, description: 'The config, with a secret that was made', schema: createdWebhookConfig },
  }),
  route('replayConfig', {
    method: 'POST',
    path: '/v1/webhooks/configs/{id}/replay',
    tag,
    summary: 'Queue retained events again',
    description:
      'At most 10,000 a call; go on with `next_since`. `failed`: their schedule was used up; `missed`: never queued; `all`: delivered ones too; left out: failed and missed.',
    params,
    example: { since: '2026-11-23T00:00:00Z' },
    answer: { status: 200, description: 'How many were queued', schema: replayed },
    errors: ['not_active'],
  }),
  route('approveConfig', {
    method: 'POST',
    path: '/v1/webhooks/configs/{id}/approve',
    tag,
    summary: 'Let a pending config receive',
    description:
      'Never by the key that created it or chose its host, nor by one that such a key made. `url`, when sent, has to be the one it has now.',
    params,
    answer: { status: 200, description: 'The config as it is now', schema: webhookConfig },
    errors: ['approval_denied', 'pending_approval'],
  }),
  route('listConfigLogs', {
    method: 'GET',
    path: '/v1/webhooks/configs/{id}/logs',
    tag,
    summary: 'List the attempts made for a config',
    params,
    answer: { status: 200, description: 'A page, newest first', schema: page(attempt) },
  }),
];
