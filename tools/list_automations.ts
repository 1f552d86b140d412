import { z } from 'zod';
import { inputs } from '../src/core/inputs.ts';
import { automation } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const listAutomations = defineTool({
  name: 'list_automations',
  group: 'automations',
  title: 'List automations',
  description:
    'The automations of the workspace, newest first: trigger, conditions, the configs that each calls, how often it fired, and its last error. ' +
    'Use it when nothing happened after an event: error_count above 0 means that the conditions had no value for some events. ' +
    'What became of the calls is in list_webhook_config_logs.',
  scope: 'webhooks:read',
  input: inputs.listAutomations,
  output: z.object({ automations: z.array(automation), next_cursor: z.string().nullable() }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async run(core, principal, input) {
    const { data, next_cursor } = await core.listAutomations(principal, input);
    return { automations: data, next_cursor };
  },
});
