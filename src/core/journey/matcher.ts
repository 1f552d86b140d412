import { builtInNames } from '../catalogue.ts';
import type { Compiled, ConditionFault, ConditionSubject } from '../conditions.ts';
import type { Matchable, Ports, StoredEvent } from '../ports.ts';
import { judge, subjectOf } from '../rules/condition.ts';
import { wants } from '../rules/match.ts';
import { type Fitting, makeFitting } from './fitting.ts';
import { Stretch } from './stretch.ts';

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
  /** Which events do not fit the schema of their type. */
  fit: Fitting['check'];
  match(event: StoredEvent): Match | Promise<Match>;
}

interface Taker {
  id: number;
  filter: Compiled | null;
}

export function makeMatcher(matchable: Matchable, ports: Pick<Ports, 'conditions' | 'schemas' | 'clock'>): Matcher {
  const { conditions, clock } = ports;
  const names = new Set([...builtInNames, ...matchable.eventTypes.map(({ name }) => name)]);
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
    const stretch = new Stretch(clock);
    for (const { id, filter } of takers) {
      const verdict = filter === null || judge(filter, subject);
      if (verdict === true) endpointIds.push(id);
      else if (verdict !== false) errors.push({ endpointId: id, fault: verdict });
      if (stretch.isOver()) await stretch.rest();
    }
    return { endpointIds, errors };
  }

  return {
    matchable,
    knows: (type) => names.has(type),
    fit: makeFitting(matchable, ports).check,
    match(event) {
      const { takers, unfiltered } = chosen(event.type);
      return unfiltered ?? judgeAll(takers, subjectOf(event));
    },
  };
}
