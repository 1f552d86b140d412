import { inputs } from '../src/core/inputs.ts';
import { createdSubscription } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const rotateWebhookSecret = defineTool({
  name: 'rotate_webhook_secret',
  group: 'subscriptions',
  title: 'Rotate webhook secret',
  description:
    'Give a subscription a new signing secret; the old one signs beside it for 24 hours, or for `overlap`; one that was rotated out before ends now. ' +
    'Use it when the user asks, when a secret leaked (overlap 0s) or was lost: no tool shows one again. ' +
    'Not to repair signatures that never matched: check how the receiver verifies first. ' +
    '`secret` is shown in this answer only: give it to the user, whose receiver needs it before the overlap ends. ' +
    'Next: test_webhook_subscription.',
  scope: 'webhooks:write',
  input: inputs.rotateSecret,
  output: createdSubscription.omit({ warning: true }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  run: (core, principal, input) => core.rotateSecret(principal, input),
});
