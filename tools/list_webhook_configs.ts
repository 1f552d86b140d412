import { z } from 'zod';
import { inputs } from '../src/core/inputs.ts';
import { webhookConfig } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const listWebhookConfigs = defineTool({
  name: 'list_webhook_configs',
  group: 'configs',
  title: 'List webhook configs',
  description:
    'The named webhook configs of the workspace with their health, newest first. Use it to find the id of one by its name, or to see which fail. ' +
    'Streams of events that the API made are listed by list_webhook_subscriptions. Next: get_webhook_config, or list_webhook_config_logs for single attempts.',
  scope: 'webhooks:read',
  input: inputs.listConfigs,
  output: z.object({ configs: z.array(webhookConfig), next_cursor: z.string().nullable() }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async run(core, principal, input) {
    const { data, next_cursor } = await core.listConfigs(principal, input);
    return { configs: data, next_cursor };
  },
});
