import { inputs } from '../src/core/inputs.ts';
import { createdWebhookConfig } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const updateWebhookConfig = defineTool({
  name: 'update_webhook_config',
  group: 'configs',
  title: 'Update webhook config',
  description:
    'Change a webhook config, pause it or make it active again; what is left out stays. ' +
    'headers and trigger_events replace all that were there; a masked header value keeps the stored one. ' +
    'A URL on another host needs every header value again, and only ever a URL that the user named. ' +
    'status active also clears failures and holds of a disabled one. Next: test_webhook_config.',
  scope: 'webhooks:write',
  input: inputs.updateConfig,
  output: createdWebhookConfig.omit({ secret: true }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  run: (core, principal, input) => core.updateConfig(principal, input),
});
