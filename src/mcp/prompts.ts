import { completable, type GetPromptResult, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { inputs } from '../core/inputs.ts';
import type { Log } from '../core/ports/ports.ts';
import { protocolError } from './explain.ts';
import { completeSubscriptionId } from './resources.ts';
import { challenge, type Session } from './session.ts';

/** Failed attempts that the prompt brings along; the log tool has the rest. */
const failuresShown = 5;

const steps = `Find out why its webhooks do not arrive, and say what to do.
1. The facts above were read just now. Begin with \`diagnosis\`: it weighs all of them.
2. Look for a pattern in the failed attempts: always the same error, one event type only, since a certain time. list_webhook_subscription_logs shows more.
3. No attempt at all: list_events shows whether an event of the chosen types was published.
4. Tell the user the cause and the remedy in two or three sentences. The receiver is theirs to repair.
5. Once it is repaired: test_webhook_subscription. Then offer to set status active with update_webhook_subscription if it is paused or disabled, and to send what was missed with replay_webhook_deliveries.
Change nothing before the user agreed.`;

/** What a person starts by name, such as a slash command. */
export function registerPrompts(server: McpServer, session: Session, log: Log): void {
  const subscriptionId = inputs.subscriptionId.shape.subscription_id.describe('Which subscription, by its id');
  server.registerPrompt(
    'debug_failing_webhook',
    {
      title: 'Debug a failing webhook',
      description: 'Why a subscription receives nothing, and what to do about it',
      argsSchema: z.strictObject({
        subscription_id: completable(subscriptionId, (typed) => completeSubscriptionId(typed, session, log)),
      }),
      scopeChallenge: challenge('webhooks:read'),
    },
    ({ subscription_id }) => debugFailingWebhook(subscription_id, session, log),
  );
}

async function debugFailingWebhook(subscriptionId: string, session: Session, log: Log): Promise<GetPromptResult> {
  try {
    const { core, principal } = await session.open();
    const [subscription, failures] = await Promise.all([
      core.getSubscription(principal, { subscription_id: subscriptionId }),
      core.listSubscriptionLogs(principal, { subscription_id: subscriptionId, status: 'failed', limit: failuresShown }),
    ]);
    const facts = `The subscription:\n${JSON.stringify(subscription)}\nIts last failed attempts:\n${JSON.stringify(failures.data)}`;
    return {
      description: `Debug ${subscription.id}`,
      messages: [{ role: 'user', content: { type: 'text', text: `${facts}\n\n${steps}` } }],
    };
  } catch (error) {
    throw protocolError(error, log);
  }
}
