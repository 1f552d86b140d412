import { PosthornError } from '../errors.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
import { matches, unknownName } from '../rules/match.ts';
import { showAttempt } from '../rules/show.ts';
import type { Attempt, EventType } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';
import { catalogue } from './event-types.ts';
import { recordTest } from './record-test.ts';

/** Sends the sample of an event type now. Changes no counter; works while paused or disabled. */
export async function testEndpoint(
  context: Context,
  record: EndpointRecord,
  eventType: string | undefined,
): Promise<Attempt> {
  const { workspaceId } = record;
  if (record.status === 'pending_approval') {
    throw new PosthornError(
      'pending_approval',
      'Nothing is sent to an endpoint before it is approved, no test either.',
    );
  }
  const types = await catalogue(context, workspaceId);
  const names = types.map(({ name }) => name);
  if (eventType !== undefined && !names.includes(eventType)) {
    const message = unknownName(eventType, names);
    throw new PosthornError('unknown_event_type', message, { errors: [{ path: '/event_type', message }] });
  }
  const sample =
    types.find(({ name }) => name === eventType) ??
    firstChosen(record.events, types) ??
    // A config that automations alone fire still has to be tried out.
    (record.events.length === 0 ? types[0] : undefined);
  if (sample === undefined) throw notFound('event type');
  const event = {
    publicId: context.newId('evt'),
    type: sample.name,
    data: JSON.stringify(sample.example),
    occurredAt: context.clock.now(),
  };
  const outcome = await context.sendTest(record.id, event);
  const attempt = await recordTest(context, {
    workspaceId,
    endpointId: record.id,
    endpointVersion: outcome.endpointVersion,
    eventPublicId: event.publicId,
    type: event.type,
    data: event.data,
    attempt: outcome.attempt,
    freesHold: outcome.succeeded,
  });
  if (outcome.succeeded) context.wake();
  return showAttempt(attempt, false);
}

/** The first of what was chosen that there is a type for: of a family its first type. */
function firstChosen(patterns: readonly string[], types: readonly EventType[]): EventType | undefined {
  for (const pattern of patterns) {
    const type = types.find(({ name }) => matches(pattern, name));
    if (type !== undefined) return type;
  }
  return undefined;
}
