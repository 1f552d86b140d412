import { describe, expect, it } from 'vitest';
import { makeConditions } from '../../src/conditions/conditions.ts';
import { FanOut } from '../../src/core/journey/fan-out.ts';
import { makeMatcher } from '../../src/core/journey/matcher.ts';
import type { Matchable, MatchableEndpoint } from '../../src/core/ports/journey-store.ts';
import type { Clock } from '../../src/core/ports/ports.ts';
import { schemas } from '../../src/schemas/schemas.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { publish, reread, second, seedEndpoint, seedWorkspace, t0 } from '../store/seed.ts';

const conditions = makeConditions();
const still: Clock = { now: () => t0, monotonic: () => t0, after: () => () => {} };
const eventOf = (data: object, type = 'contact.created') => ({
  publicId: 'evt_1',
  type,
  occurredAt: t0,
  data: JSON.stringify(data),
});
const matcherOf = (endpoints: Partial<MatchableEndpoint>[], clock = still, more: Partial<Matchable> = {}) =>
  makeMatcher(
    {
      version: 1,
      endpoints: endpoints.map((one, index) => ({
        id: index + 1,
        events: ['*'],
        filter: null,
        activeUntil: null,
        ...one,
      })),
      eventTypes: [],
      automations: [],
      ...more,
    },
    { conditions, schemas, clock },
  );

describe('matching', () => {
  it('takes those that chose the type and whose filter is true, in the order of their ids', async () => {
    const matcher = matcherOf([
      { filter: 'data.a == 1' },
      { events: ['contact.*'] },
      { events: ['task.*'] },
      { filter: 'data.a == 2' },
      { filter: 'event.type == "contact.created" && event.id == "evt_1"' },
    ]);
    expect(await matcher.match(eventOf({ a: 1 }))).toEqual({ endpointIds: [1, 2, 5], errors: [], runs: [] });
    expect(await matcher.match(eventOf({ a: 2 }))).toEqual({ endpointIds: [2, 4, 5], errors: [], runs: [] });
    expect(await matcher.match(eventOf({ a: 2 }, 'task.created'))).toEqual({
      endpointIds: [3, 4],
      errors: [],
      runs: [],
    });
  });

  it('names those whose filter has no value, also where it is none any more', async () => {
    const matcher = matcherOf([{ filter: 'data.b == 1' }, {}, { filter: 'data.b ==' }]);
    const { endpointIds, errors } = await matcher.match(eventOf({ a: 1 }));
    expect(endpointIds).toEqual([2]);
    expect(errors.map(({ endpointId, fault }) => [endpointId, fault.column])).toEqual([
      [1, 6],
      [3, 10],
    ]);
  });

  it('reads no event where no filter asks for it, and answers at once', () => {
    const matcher = matcherOf([{}, { events: ['task.*'], filter: 'data.a' }]);
    const broken = { ...eventOf({}), data: 'not JSON' };
    expect(matcher.match(broken)).toEqual({ endpointIds: [1], errors: [], runs: [] });
  });

  it('knows the built-in types and those of the workspace', () => {
    const matcher = matcherOf([], still, { eventTypes: [{ name: 'own.type', schema: null, validation: 'off' }] });
    expect(['contact.created', 'own.type', 'other.type'].map((type) => matcher.knows(type))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('gives way while it matches many, so that nothing else waits for long', async () => {
    let now = t0;
    // A millisecond for each look at the clock, of which there is one for every 16 filters.
    const clock: Clock = { now: () => now++, monotonic: () => now, after: () => () => {} };
    const matcher = matcherOf(
      Array.from({ length: 1_000 }, () => ({ filter: 'data.a == 1' })),
      clock,
    );
    let turns = 0;
    const turn = () => {
      turns++;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    const { endpointIds } = await matcher.match(eventOf({ a: 1 }));
    clearImmediate(next);
    expect(endpointIds).toHaveLength(1_000);
    expect(turns).toBeGreaterThan(5);
  });
});

describe.each(engines)('a wide event on $name', (engine) => {
  const on = useDatabase(engine);

  it('is fanned out to those whose filter takes it', async () => {
    const workspaceId = await seedWorkspace(on.store);
    const filters = ['data.name == "Ada"', null, 'data.name == "Bob"', 'data.missing', 'event.id == "wide"'];
    const endpoints = [];
    for (const filter of filters) endpoints.push(await seedEndpoint(on.store, workspaceId, { filter }));
    await publish(on.store, workspaceId, [{ publicId: 'wide', fanOutNow: false }]);
    await new FanOut({ store: on.store, clock: still, conditions, schemas }, () => true).run();
    const owed = await Promise.all(endpoints.map((endpoint) => reread(on.store, endpoint)));
    expect(owed.map(({ pendingCount }) => pendingCount)).toEqual([1, 1, 0, 0, 1]);
    expect(await brokenInvariants(on.database.db, t0 + second)).toEqual([]);
  });
});
