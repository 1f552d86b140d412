import { inputs } from '../src/core/inputs.ts';
import { replayed } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const replayWebhookDeliveries = defineTool({
  name: 'replay_webhook_deliveries',
  group: 'subscriptions',
  title: 'Replay webhook deliveries',
  description:
    'Send a subscription the events it did not get since a time: deliveries that failed for good and events it missed ' +
    'while it was paused, disabled or not there yet. Use it once the receiver is repaired and test_webhook_subscription succeeds; ' +
    'for a single delivery use retry_webhook_delivery. The subscription must be active. ' +
    'status all repeats delivered ones too: ask the user first. ' +
    'While next_since is not null call again with it as `since`. Next: list_webhook_subscription_logs.',
  scope: 'webhooks:write',
  input: inputs.replay,
  output: replayed,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  run: (core, principal, input) => core.replaySubscription(principal, input),
});
