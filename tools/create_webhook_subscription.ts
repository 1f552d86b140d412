import { inputs } from '../src/core/inputs.ts';
import { createdSubscription } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const createWebhookSubscription = defineTool({
  name: 'create_webhook_subscription',
  group: 'subscriptions',
  title: 'Create webhook subscription',
  description:
    'Send events to a URL from now on: each event that matches is POSTed to it, signed and retried. ' +
    'Use it when the user names the URL; a subscription is a standing way out for their data. ' +
    'Call list_event_types first unless you know the names. To change one that exists use update_webhook_subscription. ' +
    '`secret` is shown in this answer only: give it to the user, the receiver verifies signatures with it. ' +
    'Next: test_webhook_subscription.',
  scope: 'webhooks:write',
  input: inputs.createSubscription,
  output: createdSubscription,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  run: (core, principal, input) => core.createSubscription(principal, input),
});
