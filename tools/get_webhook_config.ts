import { inputs } from '../src/core/inputs.ts';
import { webhookConfig } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const getWebhookConfig = defineTool({
  name: 'get_webhook_config',
  group: 'configs',
  title: 'Get webhook config',
  description:
    'How one webhook config stands: status, last error, counts, when the next attempt is due, and in `diagnosis` one sentence on why and what to do. ' +
    'Use it first when nothing arrives. Header names are shown, their values never. Next: list_webhook_config_logs for single attempts.',
  scope: 'webhooks:read',
  input: inputs.configId,
  output: webhookConfig,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: (core, principal, input) => core.getConfig(principal, input),
});
