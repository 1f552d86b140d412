import { z } from 'zod';
import { inputs } from '../src/core/inputs.ts';
import { event } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const listEvents = defineTool({
  name: 'list_events',
  group: 'events',
  title: 'List events',
  description:
    'The events that were published, newest first, with how many deliveries each is owed. ' +
    'Use it to see whether something happened at all; for the names that exist use list_event_types. ' +
    'Next: get_event shows how the deliveries of one went.',
  scope: 'events:read',
  input: inputs.listEvents,
  output: z.object({
    events: z.array(event.extend({ data: z.unknown().optional() })),
    next_cursor: z.string().nullable(),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async run(core, principal, input) {
    const { data, next_cursor } = await core.listEvents(principal, input);
    return { events: data, next_cursor };
  },
});
