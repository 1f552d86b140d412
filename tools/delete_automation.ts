import { z } from 'zod';
import { inputs } from '../src/core/inputs.ts';
import { defineTool } from './define.ts';

export const deleteAutomation = defineTool({
  name: 'delete_automation',
  group: 'automations',
  title: 'Delete automation',
  description:
    'Delete an automation for good; the configs that it called stay, and deliveries that it made already are still sent. ' +
    'Ask the user first. To stop it for a while use update_automation with enabled false.',
  scope: 'webhooks:delete',
  input: inputs.automationId,
  output: z.object({ id: z.string(), deleted: z.literal(true) }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  run: (core, principal, input) => core.deleteAutomation(principal, input),
});
