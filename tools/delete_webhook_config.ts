import { z } from 'zod';
import { inputs } from '../src/core/inputs.ts';
import { defineTool } from './define.ts';

export const deleteWebhookConfig = defineTool({
  name: 'delete_webhook_config',
  group: 'configs',
  title: 'Delete webhook config',
  description:
    'Delete a webhook config for good and cancel what it is still owed; its log stays readable until it is too old. ' +
    'Ask the user first. To stop it for a while use update_webhook_config with status paused. ' +
    'One that automations use is not deleted: the error names them.',
  scope: 'webhooks:delete',
  input: inputs.configId,
  output: z.object({ id: z.string(), deleted: z.literal(true) }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  run: (core, principal, input) => core.deleteConfig(principal, input),
});
