import { inputs } from '../src/core/inputs.ts';
import { createdSubscription } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const updateWebhookSubscription = defineTool({
  name: 'update_webhook_subscription',
  group: 'subscriptions',
  title: 'Update webhook subscription',
  description:
    'Change the url, events, filter, description or status of a subscription; fields left out stay, `events` replaces the whole list. ' +
    'status paused stops sending; active starts it again, also after it was disabled. ' +
    'Not for sending to one more URL: create another subscription. ' +
    'Next, after a new url or a repair: test_webhook_subscription, then replay_webhook_deliveries for what was missed.',
  scope: 'webhooks:write',
  input: inputs.updateSubscription,
  output: createdSubscription.omit({ secret: true }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  run: (core, principal, input) => core.updateSubscription(principal, input),
});
