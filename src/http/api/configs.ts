import { createdWebhookConfig, webhookConfig } from '../../core/types.ts';
import { endpointRoutes } from './endpoints.ts';
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
  ...endpointRoutes({
    noun: 'config',
    path: '/v1/webhooks/configs',
    tag,
    params,
    shown: webhookConfig,
    created: createdWebhookConfig,
    operations: {
      test: 'testConfig',
      rotateSecret: 'rotateConfigSecret',
      replay: 'replayConfig',
      approve: 'approveConfig',
      listLogs: 'listConfigLogs',
    },
  }),
];
