import { inputs } from '../src/core/inputs.ts';
import { attempt } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const testWebhookSubscription = defineTool({
  name: 'test_webhook_subscription',
  group: 'subscriptions',
  title: 'Test webhook subscription',
  description:
    'Send one sample event, marked as a test, to a subscription now and answer what came of it: response code, error, duration. ' +
    'Use it after creating or repairing one, also while it is paused or disabled. It changes no counter and is not retried. ' +
    'To send real data to everyone who subscribed use publish_event. ' +
    'status failed is an answer, not an error of the tool: tell the user error_message.',
  scope: 'webhooks:write',
  input: inputs.testSubscription,
  output: attempt.omit({ untrusted_response: true }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  run: (core, principal, input) => core.testSubscription(principal, input),
});
