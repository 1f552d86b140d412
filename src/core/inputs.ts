import { z } from 'zod';
import { PosthornError } from './errors.ts';
import { describeFirst, faultOf, fieldErrors } from './field-faults.ts';
import {
  attemptFilters,
  condition,
  description,
  duration,
  eventPattern,
  eventPatterns,
  eventTypeName,
  filter,
  headers,
  id,
  isoTime,
  jsonObject,
  limits,
  paging,
  secret,
  untrusted,
  url,
} from './input-fields.ts';
import { validations } from './ports/schemas.ts';
import { auditActions, deliveryStatuses, endpointStatuses, faces, scopes } from './vocabulary.ts';

export { limits } from './input-fields.ts';

/**
 * One schema per use case. REST, MCP and the command line all check their input with these, so that they cannot drift
 * apart. Unknown fields are refused everywhere.
 */

const idempotencyKey = z
  .string()
  .min(1)
  .max(limits.idempotencyKeyCharactersMax)
  .describe('The same key within 24 hours gives the same answer instead of a second endpoint');
const activeOrPaused = z.enum(['active', 'paused']).describe('active clears failure_count, disabled_reason and holds');
const lookedAt = url.describe('The URL that was looked at: refused when it is another one by now');
const sampleType = eventTypeName.describe('Whose sample to send; the first chosen type when left out');
const rotation = {
  secret: secret.optional(),
  overlap: duration.optional().describe('How long the old secret signs too, 0s to 7d; 24h when left out'),
};
const span = {
  since: isoTime.describe('Events published at or after this time, ISO 8601'),
  until: isoTime.optional().describe('Events published before this time; now when left out'),
  status: z
    .enum(['failed', 'missed', 'all'])
    .optional()
    .describe(
      'failed: its schedule was used up; missed: never queued; all: delivered ones too; left out: failed and missed',
    ),
};
const shownName = z.string().min(1).max(limits.nameCharactersMax).describe('What people call it');
const ownHeaders = headers.describe(
  'Added to every request; stored sealed, shown masked. Replaces all that were there',
);
const triggerEvents = z
  .array(eventPattern)
  .max(limits.eventsPerSubscriptionMax)
  .describe('Event types that fire it; none: only automations do');
const includeTriggerData = z.boolean().describe("Whether requests carry the event's data");

const triggerEvent = eventPattern.describe('What fires it: an event type such as contact.created, contact.*, or *');
const conditions = condition
  .nullable()
  .describe('Fires only for events for which this CEL expression is true, such as data.amount > 100; null: for all');
const actions = z
  .array(z.strictObject({ type: z.literal('webhook'), config_id: id }))
  .min(1)
  .max(limits.actionsPerAutomationMax)
  .describe('The webhook configs that it calls, each once');
const enabled = z.boolean().describe('false: it does nothing until it is enabled again');

export const inputs = {
  createSubscription: z.strictObject({
    url,
    events: eventPatterns,
    secret: secret.optional(),
    description: description.optional(),
    filter: filter.optional(),
    idempotency_key: idempotencyKey.optional(),
  }),
  listSubscriptions: z.strictObject({ status: z.enum(endpointStatuses).optional(), ...paging }),
  subscriptionId: z.strictObject({ subscription_id: id }),
  updateSubscription: z.strictObject({
    subscription_id: id,
    url: url.optional(),
    events: eventPatterns.optional(),
    description: description.optional(),
    filter: filter.optional(),
    status: activeOrPaused.optional(),
  }),
  approveSubscription: z.strictObject({
    subscription_id: id,
    url: lookedAt.optional(),
  }),
  testSubscription: z.strictObject({
    subscription_id: id,
    event_type: sampleType.optional(),
  }),
  rotateSecret: z.strictObject({
    subscription_id: id,
    ...rotation,
  }),
  replay: z.strictObject({
    subscription_id: id,
    ...span,
  }),
  createConfig: z.strictObject({
    name: shownName,
    url,
    headers: ownHeaders.optional(),
    trigger_events: triggerEvents.default([]),
    include_trigger_data: includeTriggerData.default(true),
    secret: secret.optional(),
    idempotency_key: idempotencyKey.optional(),
  }),
  listConfigs: z.strictObject({ status: z.enum(endpointStatuses).optional(), ...paging }),
  configId: z.strictObject({ config_id: id }),
  updateConfig: z.strictObject({
    config_id: id,
    name: shownName.optional(),
    url: url.optional(),
    headers: ownHeaders.optional(),
    trigger_events: triggerEvents.optional(),
    include_trigger_data: includeTriggerData.optional(),
    status: activeOrPaused.optional(),
  }),
  approveConfig: z.strictObject({ config_id: id, url: lookedAt.optional() }),
  testConfig: z.strictObject({ config_id: id, event_type: sampleType.optional() }),
  rotateConfigSecret: z.strictObject({ config_id: id, ...rotation }),
  replayConfig: z.strictObject({ config_id: id, ...span }),
  listConfigAttempts: z.strictObject({ config_id: id, ...attemptFilters, ...untrusted, ...paging }),
  createAutomation: z.strictObject({
    name: shownName,
    trigger_event: triggerEvent,
    conditions: conditions.optional(),
    actions,
    enabled: enabled.default(true),
  }),
  listAutomations: z.strictObject({ ...paging }),
  automationId: z.strictObject({ automation_id: id }),
  updateAutomation: z.strictObject({
    automation_id: id,
    name: shownName.optional(),
    trigger_event: triggerEvent.optional(),
    conditions: conditions.optional(),
    actions: actions.optional(),
    enabled: enabled.optional(),
  }),
  listAllAttempts: z.strictObject({
    endpoint_id: id.optional(),
    ...attemptFilters,
    is_test: z.boolean().optional().describe('Only tests, or only live deliveries'),
    after: id.optional().describe('Only attempts newer than this one, by its id'),
    ...untrusted,
    ...paging,
  }),
  attemptId: z.strictObject({ attempt_id: id, ...untrusted }),
  statistics: z.strictObject({
    period: z.enum(['1h', '24h', '7d', '30d']).default('24h').describe('How far to look back'),
  }),
  missed: z.strictObject({ endpoint_id: id, since: isoTime.optional().describe('Since it fails, when left out') }),
  putEventType: z.strictObject({
    name: z
      .string()
      .max(limits.eventTypeCharactersMax)
      .regex(/^[a-z0-9_]+(\.[a-z0-9_]+)*$/, 'use lower-case words joined by dots, such as invoice.paid'),
    description: z.string().min(1).max(limits.descriptionCharactersMax),
    schema: jsonObject.nullable().optional().describe('JSON Schema 2020-12 of the data, at most 32,768 characters'),
    example: jsonObject.describe('What the data of a sample looks like'),
    validation: z
      .enum(validations)
      .optional()
      .describe('What becomes of events that do not fit the schema: off, the default, warn, or reject'),
  }),
  eventTypeName: z.strictObject({ name: eventTypeName }),
  listAttempts: z.strictObject({ subscription_id: id, ...attemptFilters, ...untrusted, ...paging }),
  publish: z.strictObject({
    type: eventTypeName.describe('An event type of the catalogue'),
    data: jsonObject.describe('What happened: a JSON object, at most 256 KiB'),
    id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, 'use 1 to 64 of A-Z a-z 0-9 _ -')
      .optional()
      .describe('Your own id; publishing the same id again delivers nothing twice'),
    occurred_at: isoTime.optional().describe('When it happened, ISO 8601; now when left out'),
  }),
  listEvents: z.strictObject({ event_type: eventTypeName.optional(), ...paging }),
  eventId: z.strictObject({ event_id: id }),
  listEventTypes: z.strictObject(paging),
  listDeliveries: z.strictObject({
    status: z.enum(deliveryStatuses).optional(),
    endpoint_id: id.optional(),
    ...paging,
  }),
  deliveryId: z.strictObject({ delivery_id: id }),
  dryRun: z.strictObject({
    events: z.array(eventPattern).max(limits.eventsPerSubscriptionMax).optional().describe('All types when left out'),
    condition: condition.optional().describe('A filter of a subscription, or a condition of an automation'),
  }),
  createKey: z.strictObject({
    name: z.string().min(1).max(limits.nameCharactersMax),
    scopes: z.array(z.enum(scopes)).min(1),
    expires_in: duration.optional(),
  }),
  listKeys: z.strictObject({ ...paging }),
  keyId: z.strictObject({ key_id: id }),
  listAudit: z.strictObject({
    action: z.enum(auditActions).optional().describe('Only this kind of change'),
    target_id: z.string().max(limits.eventTypeCharactersMax).optional().describe('Only changes of what has this id'),
    key_id: id.optional().describe('Only changes made with this key'),
    face: z.enum(faces).optional().describe('Only changes that came in here'),
    since: isoTime.optional().describe('Only changes at or after this time, ISO 8601'),
    until: isoTime.optional().describe('Only changes before this time, ISO 8601'),
    ...paging,
  }),
  none: z.strictObject({}),
};
export type Inputs = { [K in keyof typeof inputs]: z.output<(typeof inputs)[K]> };

/** Checks one input. Throws `validation_failed` with a JSON pointer for each wrong field. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown, at = ''): z.output<S> {
  const result = schema.safeParse(input, { error: faultOf });
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap((issue) => fieldErrors(issue, at)).slice(0, limits.fieldErrorsMax);
  throw new PosthornError('validation_failed', describeFirst(errors), { errors });
}
