import { inputs } from '../src/core/inputs.ts';
import { automation } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const createAutomation = defineTool({
  name: 'create_automation',
  group: 'automations',
  title: 'Create automation',
  description:
    'When an event of trigger_event comes, call these webhook configs; with conditions only when they are true for it. ' +
    'Use it to wire configs that exist (list_webhook_configs, create_webhook_config) to something that happens. ' +
    'To send events to a URL without a name use create_webhook_subscription. ' +
    'Conditions are a CEL expression over event and data, checked at once. Next: list_automations shows whether it fired or erred.',
  scope: 'webhooks:write',
  input: inputs.createAutomation,
  output: automation,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  run: (core, principal, input) => core.createAutomation(principal, input),
});
