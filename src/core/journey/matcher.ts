import { builtInNames } from '../catalogue.ts';
import type { Compiled, ConditionFault, ConditionSubject } from '../ports/conditions.ts';
import type { Matchable } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import type { StoredEvent } from '../ports/record-store.ts';
import { judge, subjectOf } from '../rules/condition.ts';
import { wants } from '../rules/match.ts';
import { type Fitting, makeFitting } from './fitting.ts';
import { Stretch } from './stretch.ts';

/** A filter that had no value for an event, so that the endpoint did not get it. */
export interface FilterError {
  endpointId: number;
  fault: ConditionFault;
}
/** An automation whose trigger event this is: it calls its configs, or its conditions have no value. */
export interface AutomationRun {
  automationId: number;
  fault: ConditionFault | null;
}
/** `endpointIds` in ascending order, each once, whatever wants the event for it. */
export interface Match {
  endpointIds: readonly number[];
  errors: readonly FilterError[];
  runs: readonly AutomationRun[];
}

/** Which endpoints of a workspace want an event. Made for one version of them, so that patterns and filters are looked at once. */
export interface Matcher {
  readonly matchable: Matchable;
  knows(type: string): boolean;
  /** Which events do not fit the schema of their type. */
  fit: Fitting['check'];
  match(event: StoredEvent): Match | Promise<Match>;
}

/** An endpoint, or an automation with the endpoints that it calls. */
interface Taker {
  id: number;
  isAutomation: boolean;
  endpointIds: readonly number[];
  filter: Compiled | null;
}

interface Fault {
  taker: Taker;
  fault: ConditionFault;
}

export function makeMatcher(matchable: Matchable, ports: Pick<Ports, 'conditions' | 'schemas' | 'clock'>): Matcher {
  const { conditions, clock } = ports;
  const names = new Set([...builtInNames, ...matchable.eventTypes.map(({ name }) => name)]);
  const byType = new Map<string, { takers: Taker[]; unfiltered: Match | null }>();

  function chosen(type: string): { takers: Taker[]; unfiltered: Match | null } {
    const known = byType.get(type);
    if (known !== undefined) return known;
    const ready = (text: string | null) => (text === null ? null : conditions.compile(text));
    const takers: Taker[] = [
      ...matchable.endpoints
        .filter(({ events }) => wants(events, type))
        .map(({ id, filter }) => ({ id, isAutomation: false, endpointIds: [id], filter: ready(filter) })),
      ...matchable.automations
        .filter(({ triggerEvent }) => wants([triggerEvent], type))
        .map((one) => ({ ...one, isAutomation: true, filter: ready(one.conditions) })),
    ];
    const plain = takers.every(({ filter }) => filter === null);
    const one = { takers, unfiltered: plain ? matchOf(takers, []) : null };
    if (names.has(type)) byType.set(type, one);
    return one;
  }

  async function judgeAll(takers: Taker[], subject: ConditionSubject): Promise<Match> {
    const taking: Taker[] = [];
    const faults: Fault[] = [];
    const stretch = new Stretch(clock);
    for (const taker of takers) {
      const { filter } = taker;
      const verdict = filter === null || judge(filter, subject);
      if (verdict === true) taking.push(taker);
      else if (verdict !== false) faults.push({ taker, fault: verdict });
      if (stretch.isOver()) await stretch.rest();
    }
    return matchOf(taking, faults);
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

function matchOf(taking: readonly Taker[], faults: readonly Fault[]): Match {
  const endpointIds = taking.flatMap((taker) => taker.endpointIds);
  const fired = taking.filter(({ isAutomation }) => isAutomation);
  return {
    // Endpoints alone are in order and there once.
    endpointIds: fired.length === 0 ? endpointIds : [...new Set(endpointIds)].toSorted((a, b) => a - b),
    errors: faults.flatMap(({ taker, fault }) => (taker.isAutomation ? [] : [{ endpointId: taker.id, fault }])),
    runs: [
      ...fired.map(({ id }) => ({ automationId: id, fault: null })),
      ...faults.flatMap(({ taker, fault }) => (taker.isAutomation ? [{ automationId: taker.id, fault }] : [])),
    ],
  };
}
