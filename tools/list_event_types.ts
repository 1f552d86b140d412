import { z } from 'zod';
import { inputs } from '../src/core/inputs.ts';
import { eventType } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const listEventTypes = defineTool({
  name: 'list_event_types',
  group: 'events',
  title: 'List event types',
  description:
    'The catalogue: every event type there is, with what it means and an example of its data. ' +
    'Call it before create_webhook_subscription or publish_event when you do not know the exact name or data. ' +
    'For events that happened use list_events.',
  scope: 'webhooks:read',
  input: inputs.listEventTypes,
  output: z.object({
    event_types: z.array(eventType.extend({ schema: z.unknown(), example: z.unknown() })),
    next_cursor: z.string().nullable(),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async run(core, principal, input) {
    const { data, next_cursor } = await core.listEventTypes(principal, input);
    return { event_types: data, next_cursor };
  },
});
