import { inputs } from '../src/core/inputs.ts';
import { delivery } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const retryWebhookDelivery = defineTool({
  name: 'retry_webhook_delivery',
  group: 'subscriptions',
  title: 'Retry webhook delivery',
  description:
    'Make one more attempt for one delivery now instead of when it is due, or after it failed for good. ' +
    'delivery_id comes from list_webhook_subscription_logs or get_event. ' +
    'For everything since a time use replay_webhook_deliveries; to try a receiver without real data test_webhook_subscription. ' +
    'The answer comes before the attempt. Next: list_webhook_subscription_logs shows how it went.',
  scope: 'webhooks:write',
  input: inputs.deliveryId,
  output: delivery,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  run: (core, principal, input) => core.retryDelivery(principal, input),
});
