import { Environment } from '@marcbachmann/cel-js';
import { makeConditions } from '../../src/conditions/conditions.ts';
import { makeMatcher, type Match } from '../../src/core/journey/matcher.ts';
import type { Matchable } from '../../src/core/ports/journey-store.ts';
import { subjectOf } from '../../src/core/rules/condition.ts';
import { schemas } from '../../src/schemas/schemas.ts';
import { comparedFigure, type Figure, type Row } from '../row.ts';
import { sampleEvent } from '../sample-event.ts';
import { inTurn } from '../samples.ts';
import type { Stage } from '../stage.ts';

const endpointCount = 1_000;
const eventCount = 500;
/** The library's errors are slow enough to be measured with fewer. */
const libraryEventCount = 20;
const rounds = 7;
const reachMs = 1;

/** From an event to the endpoints that want it, each of which has a filter of its own. */
export const match: Row = {
  name: 'match',
  work: `an event of 1 KiB matched with ${endpointCount.toLocaleString('en')} endpoints, each with a filter of its own`,
  async measure(stage: Stage): Promise<Figure[]> {
    const figures: Figure[] = [];
    for (const { what, filter } of kinds) {
      stage.progress(`matching ${eventCount} events with filters, ${what}`);
      const filters = Array.from({ length: endpointCount }, (_, index) => filter(index));
      const ours = matching(filters);
      const theirs = evaluating(filters);
      await ours();
      await theirs();
      const { a, b } = await inTurn(
        rounds,
        () => msPerEvent(ours, eventCount),
        () => msPerEvent(theirs, libraryEventCount),
      );
      const against = { what: "the library's own evaluation of the filters", samples: b };
      figures.push(comparedFigure({ what, unit: 'ms/event', samples: a, against }, { of: 'value', atMost: reachMs }));
    }
    return figures;
  },
};

const kinds: { what: string; filter: (index: number) => string }[] = [
  { what: 'half take it', filter: (index) => `data.sequence < ${index * 2} && data.name.startsWith("Ada")` },
  { what: 'all look for a missing field', filter: (index) => `data.missing > ${index}` },
];

const event = {
  publicId: 'evt_1',
  type: sampleEvent.type,
  occurredAt: 0,
  data: JSON.stringify({ ...sampleEvent.data, sequence: endpointCount, name: 'Ada Lovelace' }),
};

function matching(filters: string[]): () => Promise<unknown> {
  const matchable: Matchable = {
    version: 1,
    endpoints: filters.map((filter, index) => ({ id: index + 1, events: ['*'], filter, activeUntil: null })),
    eventTypes: [],
    automations: [],
  };
  const clock = { now: () => Date.now(), monotonic: () => performance.now(), after: () => () => {} };
  const matcher = makeMatcher(matchable, { conditions: makeConditions(), schemas, clock });
  return async (): Promise<Match> => matcher.match(event);
}

function evaluating(filters: string[]): () => Promise<unknown> {
  const language = new Environment().registerVariable('event', 'map').registerVariable('data', 'map');
  const compiled = filters.map((filter) => language.parse(filter));
  return async () => {
    const subject = subjectOf(event);
    return compiled.filter((one) => {
      try {
        return one(subject) === true;
      } catch {
        return false;
      }
    });
  };
}

async function msPerEvent(work: () => Promise<unknown>, count: number): Promise<number> {
  const startedAt = performance.now();
  for (let done = 0; done < count; done++) await work();
  return (performance.now() - startedAt) / count;
}
