import { z } from 'zod';
import { inputs } from '../src/core/inputs.ts';
import { eventWithDeliveries } from '../src/core/types.ts';
import { defineTool } from './define.ts';

export const getEvent = defineTool({
  name: 'get_event',
  group: 'events',
  title: 'Get event',
  description:
    'One event with each of its deliveries: pending, succeeded, failed or canceled, the attempts made and the last error. ' +
    'Use it to follow an event after publish_event or list_events. `data` is shown only to keys with payloads:read. ' +
    'Next, for a delivery that failed: get_webhook_subscription with its endpoint_id.',
  scope: 'events:read',
  input: inputs.eventId,
  output: eventWithDeliveries.extend({ data: z.unknown().optional() }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: (core, principal, input) => core.getEvent(principal, input),
});
