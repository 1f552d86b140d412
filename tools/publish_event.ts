import { inputs } from '../src/core/inputs.ts';
import { published } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const publishEvent = defineTool({
  name: 'publish_event',
  group: 'events',
  title: 'Publish event',
  description:
    'Publish one event: it is stored, then delivered to every active subscription that chose its type; receivers act on it. ' +
    'Use it when the user wants the event to happen; to check one receiver use test_webhook_subscription. ' +
    'The answer comes before the deliveries are made and says to how many it is owed. ' +
    'Give `id` if the call may be repeated. Next: get_event shows how its deliveries went.',
  scope: 'events:write',
  input: inputs.publish,
  output: published,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  async run(core, principal, input) {
    const answer = await core.publish(principal, input);
    return answer.published;
  },
});
