import { PosthornError } from '../errors.ts';
import { type Inputs, limits } from '../inputs.ts';
import type { Compiled } from '../ports/conditions.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
import type { StoredEvent } from '../ports/record-store.ts';
import { judge, subjectOf } from '../rules/condition.ts';
import { matches, wants } from '../rules/match.ts';
import { iso } from '../rules/times.ts';
import type { Replayed } from '../types.ts';
import type { Context } from '../use-case.ts';
import { catalogue } from './event-types.ts';

/** One step of a replay holds the database for no longer than these rows take. */
const replayStepMax = 500;
/** A filter reads the events themselves, each of which may hold 256 KiB. */
const filteredReplayStepMax = 50;
/** Steps of one replay, whether they queue anything or not, so that one call answers in time. */
const replayStepsMax = 1_000;
/** Events of one replay, so that one call answers in time. */
const replayMax = limits.replayDeliveriesMax;

/**
 * Queues retained events again that the endpoint wants now: the same deliveries with a fresh schedule. At most 10,000 a
 * call; `next_since` says where to go on.
 */
export async function replayEndpoint(
  context: Context,
  endpoint: EndpointRecord,
  input: Pick<Inputs['replay'], 'since' | 'until' | 'status'>,
): Promise<Replayed> {
  const { store, clock } = context;
  const { workspaceId } = endpoint;
  if (endpoint.status !== 'active') {
    throw new PosthornError('not_active', `It is ${endpoint.status.replace('_', ' ')}, so nothing would be sent.`);
  }
  const { types, takes } = await whatItWants(context, endpoint);
  const since = Date.parse(input.since);
  const until = input.until === undefined ? clock.now() + 1 : Date.parse(input.until);
  const stepMax = takes === null ? replayStepMax : filteredReplayStepMax;
  let queued = 0;
  let afterEventId: number | null = await store.deliveries.eventBefore(since);
  let nextAt: number | null = null;
  for (let steps = 0; afterEventId !== null && types.length > 0 && queued < replayMax; steps++) {
    if (steps === replayStepsMax) break;
    const step = await store.deliveries.replay(workspaceId, {
      endpointId: endpoint.id,
      types,
      afterEventId,
      since,
      until,
      ...(takes === null ? {} : { takes }),
      failed: input.status !== 'missed',
      missed: input.status !== 'failed',
      succeeded: input.status === 'all',
      countMax: Math.min(stepMax, replayMax - queued),
      now: clock.now(),
    });
    queued += step.queued;
    afterEventId = step.lastEventId;
    nextAt = step.nextAt;
  }
  context.wake();
  return { queued, next_since: iso(nextAt) };
}

export interface Wanted {
  /** Names of event types. */
  types: string[];
  /** Which events of these; null where no filter or condition decides. */
  takes: ((event: StoredEvent) => boolean) | null;
}

/** What would be sent to an endpoint now, because it chose so or automations call it. */
export async function whatItWants(context: Context, endpoint: EndpointRecord): Promise<Wanted> {
  const wanting = await whatWants(context, endpoint);
  const patterns = wanting.map(({ pattern }) => pattern);
  const known = await catalogue(context, endpoint.workspaceId);
  const isFiltered = wanting.some(({ condition }) => condition !== null);
  return {
    types: known.map(({ name }) => name).filter((name) => wants(patterns, name)),
    takes: isFiltered ? (event) => isWanted(wanting, event) : null,
  };
}

interface Wanting {
  pattern: string;
  condition: Compiled | null;
}

async function whatWants(context: Context, { workspaceId, id, events, filter }: EndpointRecord): Promise<Wanting[]> {
  const ready = (text: string | null) => (text === null ? null : context.conditions.compile(text));
  const automations = await context.store.automations.triggersOf(workspaceId, id);
  return [
    ...events.map((pattern) => ({ pattern, condition: ready(filter) })),
    ...automations.map(({ triggerEvent, conditions }) => ({ pattern: triggerEvent, condition: ready(conditions) })),
  ];
}

function isWanted(wanting: Wanting[], event: StoredEvent): boolean {
  const choosing = wanting.filter(({ pattern }) => matches(pattern, event.type));
  if (choosing.some(({ condition }) => condition === null)) return true;
  const subject = subjectOf(event);
  return choosing.some(({ condition }) => condition !== null && judge(condition, subject) === true);
}
