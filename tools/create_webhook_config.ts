import { inputs } from '../src/core/inputs.ts';
import { createdWebhookConfig } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const createWebhookConfig = defineTool({
  name: 'create_webhook_config',
  group: 'configs',
  title: 'Create webhook config',
  description:
    'Set up a named endpoint, with headers of its own, that the team reuses: it fires on its trigger_events and from automations. ' +
    'Use it only for a URL that the user named. For a plain stream of events to a URL use create_webhook_subscription. ' +
    'trigger_events may be empty: then only automations fire it. Header values are stored sealed and never shown again. ' +
    '`secret` is shown in this answer only: give it to the user, the receiver verifies signatures with it. Next: test_webhook_config.',
  scope: 'webhooks:write',
  input: inputs.createConfig,
  output: createdWebhookConfig,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  run: (core, principal, input) => core.createConfig(principal, input),
});
