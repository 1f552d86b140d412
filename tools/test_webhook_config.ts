import { inputs } from '../src/core/inputs.ts';
import { attempt } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const testWebhookConfig = defineTool({
  name: 'test_webhook_config',
  group: 'configs',
  title: 'Test webhook config',
  description:
    'Send one sample event, marked as a test, to a webhook config now and answer what came of it: response code, error, duration. ' +
    'Use it after creating or repairing one, also while it is paused or disabled, and before an automation uses it. It changes no counter and is not retried. ' +
    'status failed is an answer, not an error of the tool: tell the user error_message.',
  scope: 'webhooks:write',
  input: inputs.testConfig,
  output: attempt.omit({ untrusted_response: true }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  run: (core, principal, input) => core.testConfig(principal, input),
});
