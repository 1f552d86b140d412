import { z } from 'zod';
import { inputs } from '../src/core/inputs.ts';
import { subscription } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const listWebhookSubscriptions = defineTool({
  name: 'list_webhook_subscriptions',
  group: 'subscriptions',
  title: 'List webhook subscriptions',
  description:
    'The subscriptions of this workspace, newest first, each with its health and a diagnosis. ' +
    'Use it to find an id or to see which ones fail. For one known id use get_webhook_subscription; ' +
    'for single attempts go on with list_webhook_subscription_logs.',
  scope: 'webhooks:read',
  input: inputs.listSubscriptions,
  output: z.object({ subscriptions: z.array(subscription), next_cursor: z.string().nullable() }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async run(core, principal, input) {
    const { data, next_cursor } = await core.listSubscriptions(principal, input);
    return { subscriptions: data, next_cursor };
  },
});
