import { z } from 'zod';
import { inputs } from '../src/core/inputs.ts';
import { defineTool } from './define.ts';

export const deleteWebhookSubscription = defineTool({
  name: 'delete_webhook_subscription',
  group: 'subscriptions',
  title: 'Delete webhook subscription',
  description:
    'Remove a subscription for good: nothing more is sent to it and the deliveries it is owed are canceled. ' +
    'It cannot be undone, so ask the user first. To stop for a while, set status paused with update_webhook_subscription.',
  scope: 'webhooks:delete',
  input: inputs.subscriptionId,
  output: z.object({ id: z.string(), deleted: z.literal(true) }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  run: (core, principal, input) => core.deleteSubscription(principal, input),
});
