import { builtInNames } from '../catalogue.ts';
import { type FieldError, PosthornError } from '../errors.ts';
import { inputs, type Inputs, limits, parseInput } from '../inputs.ts';
import type { AcceptResult, NewEvent } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import { unknownName } from '../rules/match.ts';
import { makeRateLimit } from '../rules/rate.ts';
import type { Settings } from '../settings.ts';
import type { Principal, Published } from '../types.ts';
import { requireScope } from '../use-case.ts';
import { type Fit, notFitting } from './fitting.ts';
import { makeMatchNotes } from './match-notes.ts';
import { makeMatcher, type Match, type Matcher } from './matcher.ts';

/** An event owed to more endpoints than this gets its deliveries from the worker, in steps: one wide event must not hold
 * the database against everybody else. */
export const fanOutNowMax = 1_000;
/** Endpoints that change faster than a publish can match them are somebody's loop. */
const matchTriesMax = 20;
/** Workspaces whose endpoints are kept in memory. */
const matchableWorkspacesMax = 1_000;

/** Unknown types of one array that are named; suggestions cost time. */
const unknownTypesMax = 10;

interface Answer {
  published: Published;
  repeated: boolean;
}

/** The first stage: dedupe, match, store events and deliveries in one transaction, then answer. */
export interface Publisher {
  publish(principal: Principal, input: unknown): Promise<Answer>;
  publishMany(principal: Principal, input: unknown[]): Promise<Answer[]>;
  /** Writes down what was only counted. */
  close(): Promise<void>;
}

export function makePublisher(ports: Ports, settings: Settings, wake: (wide: boolean) => void): Publisher {
  const rate = settings.publishPerMinute === null ? null : makeRateLimit(settings.publishPerMinute);
  const known = new Map<number, Matcher>();
  const notes = makeMatchNotes(ports);

  async function matcherOf(workspaceId: number, fresh: boolean): Promise<Matcher> {
    const cached = known.get(workspaceId);
    if (cached !== undefined && !fresh) return cached;
    const matcher = makeMatcher(await ports.store.journey.matchable(workspaceId), ports);
    if (known.size >= matchableWorkspacesMax) known.clear();
    known.set(workspaceId, matcher);
    return matcher;
  }

  /** Matches and stores, again with fresh endpoints when they changed meanwhile. */
  async function store(workspaceId: number, drafts: Draft[]): Promise<Stored> {
    for (let tries = 0; tries < matchTriesMax; tries++) {
      const matcher = await matcherOf(workspaceId, tries > 0);
      const unknown = drafts.findIndex(({ type }) => !matcher.knows(type));
      // What looks unknown may have been added since: only fresh knowledge refuses.
      if (unknown >= 0 && tries === 0) continue;
      if (unknown >= 0) throw unknownType(drafts, unknown, matcher);
      const { warnings, refusals } = await matcher.fit(drafts);
      if (refusals.length > 0 && tries === 0) continue;
      if (refusals.length > 0) throw notFitting(refusals);
      const matches: Match[] = [];
      for (const one of drafts) matches.push(await matcher.match(one));
      const made = withEndpoints(drafts, matches);
      const result = await ports.store.journey.accept({
        workspaceId,
        matchableVersion: matcher.matchable.version,
        events: made,
        now: ports.clock.now(),
      });
      if (result.outcome === 'conflict') throw idConflict(drafts, result.index);
      if (result.outcome === 'stale') continue;
      const fresh = matches.filter((_, index) => result.events[index]?.repeated === false);
      for (const match of fresh) notes.note(workspaceId, match);
      return { ...result, warnings, wide: made.some(({ fanOutNow }) => !fanOutNow) };
    }
    throw new PosthornError('store_unavailable', 'The endpoints of this workspace keep changing; nothing was stored.', {
      retryAfterSeconds: 1,
    });
  }

  function checkRate(principal: Principal, count: number): void {
    const caller = `${principal.workspaceId}/${principal.kind}/${principal.keyId ?? ''}`;
    const retryAfterSeconds = rate?.take(caller, count, ports.clock.now()) ?? null;
    if (retryAfterSeconds === null) return;
    const message = `This key may publish ${settings.publishPerMinute} events a minute; nothing was stored.`;
    throw new PosthornError('rate_limited', message, { retryAfterSeconds });
  }

  async function accept(principal: Principal, drafts: Draft[]): Promise<Answer[]> {
    checkRate(principal, drafts.length);
    const { events, warnings, wide } = await store(principal.workspaceId, drafts);
    const fresh = events.filter(({ repeated }) => !repeated);
    ports.metrics.accepted(
      fresh.length,
      fresh.reduce((sum, { deliveries }) => sum + deliveries, 0),
    );
    wake(wide);
    return events.map(({ deliveries, repeated }, index) => ({
      published: { id: drafts[index]?.publicId ?? '', deliveries, ...told(warnings.get(index)) },
      repeated,
    }));
  }

  function draft(input: unknown, at: string): Draft {
    const { type, data, id, occurred_at: occurredAt } = parseInput(inputs.publish, input, at);
    return {
      publicId: id ?? ports.newId('evt'),
      type,
      data: payload(data, at),
      occurredAt: occurredAt === undefined ? ports.clock.now() : Date.parse(occurredAt),
      path: at,
    };
  }

  return {
    async publish(principal, input) {
      requireScope(principal, 'events:write');
      const [answer] = await accept(principal, [draft(input, '')]);
      if (answer === undefined) throw new Error('the store answered for no event');
      return answer;
    },
    async publishMany(principal, input) {
      requireScope(principal, 'events:write');
      checkCount(input.length);
      return accept(principal, draftAll(input, draft));
    },
    close: () => notes.close(),
  };
}

type Stored = AcceptResult & { outcome: 'stored' } & Pick<Fit, 'warnings'> & { wide: boolean };

function told(warnings: FieldError[] | undefined): Pick<Published, 'warnings'> {
  return warnings === undefined ? {} : { warnings };
}

/** An event that was checked and is not stored yet. `path`: where in the input it stands. */
type Draft = Omit<NewEvent, 'endpointIds' | 'fanOutNow'> & { path: string };

/** Checks every event of an array, so that one answer names all that is wrong. */
function draftAll(input: unknown[], draft: (one: unknown, at: string) => Draft): Draft[] {
  const faults: PosthornError[] = [];
  const drafts = input.flatMap((one, index) => {
    try {
      return [draft(one, `/${index}`)];
    } catch (error) {
      if (!(error instanceof PosthornError)) throw error;
      faults.push(error);
      return [];
    }
  });
  const [first] = faults;
  if (first === undefined) return drafts;
  throw new PosthornError(first.code, first.message, {
    errors: faults.flatMap(({ errors }) => errors).slice(0, limits.fieldErrorsMax),
  });
}

function checkCount(count: number): void {
  if (count > 0 && count <= limits.eventsPerPublishMax) return;
  const message = `send 1 to ${limits.eventsPerPublishMax} events in one array, not ${count}`;
  throw new PosthornError('validation_failed', message, { errors: [{ path: '', message }] });
}

function payload(data: Inputs['publish']['data'], at: string): string {
  if (nestsDeeper(data, limits.dataDepthMax)) {
    const tooDeep = `nests deeper than ${limits.dataDepthMax} levels`;
    throw new PosthornError('validation_failed', `data ${tooDeep}.`, {
      errors: [{ path: `${at}/data`, message: tooDeep }],
    });
  }
  const text = JSON.stringify(data);
  const bytes = Buffer.byteLength(text);
  if (bytes <= limits.eventBytesMax) return text;
  const message = `is ${bytes} bytes of JSON; one event holds at most ${limits.eventBytesMax}`;
  throw new PosthornError('payload_too_large', `data ${message}.`, { errors: [{ path: `${at}/data`, message }] });
}

/** Printing and reading nested values recurses: without a bound, a small body could overflow the stack. */
function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => nestsDeeper(one, levels - 1));
}

function withEndpoints(drafts: Draft[], matches: Match[]): NewEvent[] {
  let budget = fanOutNowMax;
  return drafts.map(({ path: _path, ...event }, index) => {
    const endpointIds = [...(matches[index]?.endpointIds ?? [])];
    const fanOutNow = endpointIds.length <= budget;
    if (fanOutNow) budget -= endpointIds.length;
    return { ...event, endpointIds, fanOutNow };
  });
}

function unknownType(drafts: Draft[], index: number, matcher: Matcher): PosthornError {
  const names = [...builtInNames, ...matcher.matchable.eventTypes.map(({ name }) => name)];
  const errors = drafts
    .filter(({ type }) => !matcher.knows(type))
    .slice(0, unknownTypesMax)
    .map(({ type, path }) => ({ path: `${path}/type`, message: unknownName(type, names) }));
  return new PosthornError('unknown_event_type', unknownName(drafts[index]?.type ?? '', names), { errors });
}

function idConflict(drafts: Draft[], index: number): PosthornError {
  const draft = drafts[index];
  const message = `${draft?.publicId ?? 'The id'} was published before with another type or data.`;
  return new PosthornError('event_id_conflict', message, { errors: [{ path: `${draft?.path ?? ''}/id`, message }] });
}
