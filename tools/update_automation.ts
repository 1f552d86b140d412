import { inputs } from '../src/core/inputs.ts';
import { automation } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const updateAutomation = defineTool({
  name: 'update_automation',
  group: 'automations',
  title: 'Update automation',
  description:
    'Change an automation, or switch it off and on with enabled; what is left out stays. ' +
    'actions replaces all that were there; conditions null makes it fire for every event of its trigger. ' +
    'Use list_automations first for its id. New conditions count their errors from zero.',
  scope: 'webhooks:write',
  input: inputs.updateAutomation,
  output: automation,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  run: (core, principal, input) => core.updateAutomation(principal, input),
});
