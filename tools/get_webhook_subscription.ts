import { inputs } from '../src/core/inputs.ts';
import { subscription } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const getWebhookSubscription = defineTool({
  name: 'get_webhook_subscription',
  group: 'subscriptions',
  title: 'Get webhook subscription',
  description:
    'One subscription: status, failure and pending counts, last error, when the next attempt is due, and `diagnosis`, ' +
    'a sentence that says how it stands and what to do. Start here when asked why nothing arrived. ' +
    'Without an id use list_webhook_subscriptions. Next: list_webhook_subscription_logs for single attempts.',
  scope: 'webhooks:read',
  input: inputs.subscriptionId,
  output: subscription,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: (core, principal, input) => core.getSubscription(principal, input),
});
