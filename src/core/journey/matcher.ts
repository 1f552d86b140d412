import { builtInNames } from '../catalogue.ts';
import type { Compiled, ConditionFault, Conditions, ConditionSubject } from '../conditions.ts';
import type { Clock, Matchable, StoredEvent } from '../ports.ts';
import { judge, subjectOf } from '../rules/condition.ts';
import { wants } from '../rules/match.ts';

/** Filters are looked at for this long at a stretch; then everything else that this process does has its turn. */
const stretchMsMax = 5;
/** Filters between two looks at the clock. */
const filtersPerLook = 16;

/** A filter that had no value for an event, so that the endpoint did not get it. */
export interface FilterError {
  endpointId: number;
  fault: ConditionFault;
}
/** `endpointIds` in ascending order. */
export interface Match {
  endpointIds: readonly number[];
  errors: readonly FilterError[];
}

/** Which endpoints of a workspace want an event. Made for one version of them, so that patterns and filters are looked at once. */
export interface Matcher {
  readonly matchable: Matchable;
  knows(type: string): boolean;
  match(event: StoredEvent): Match | Promise<Match>;
}

interface Taker {
  id: number;
  filter: Compiled | null;
}

export function makeMatcher(
  matchable: Matchable,
  { conditions, clock }: { conditions: Conditions; clock: Clock },
): Matcher {
  const names = new Set([...builtInNames, ...matchable.eventTypes]);
  const byType = new Map<string, { takers: Taker[]; unfiltered: Match | null }>();

  function chosen(type: string): { takers: Taker[]; unfiltered: Match | null } {
    const known = byType.get(type);
    if (known !== undefined) return known;
    const takers = matchable.endpoints
      .filter(({ events }) => wants(events, type))
      .map(({ id, filter }) => ({ id, filter: filter === null ? null : conditions.compile(filter) }));
    const plain = takers.every(({ filter }) => filter === null);
    const one = { takers, unfiltered: plain ? { endpointIds: takers.map(({ id }) => id), errors: [] } : null };
    if (names.has(type)) byType.set(type, one);
    return one;
  }

  async function judgeAll(takers: Taker[], subject: ConditionSubject): Promise<Match> {
    const endpointIds: number[] = [];
    const errors: FilterError[] = [];
    let since = clock.now();
    for (const [index, { id, filter }] of takers.entries()) {
      const verdict = filter === null || judge(filter, subject);
      if (verdict === true) endpointIds.push(id);
      else if (verdict !== false) errors.push({ endpointId: id, fault: verdict });
      if (index % filtersPerLook === 0 && clock.now() - since > stretchMsMax) {
        await new Promise(setImmediate);
        since = clock.now();
      }
    }
    return { endpointIds, errors };
  }

  return {
    matchable,
    knows: (type) => names.has(type),
    match(event) {
      const { takers, unfiltered } = chosen(event.type);
      return unfiltered ?? judgeAll(takers, subjectOf(event));
    },
  };
}
