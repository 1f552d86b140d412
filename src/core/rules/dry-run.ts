import type { StoredEvent } from '../ports/record-store.ts';
import type { Compiled } from '../ports/conditions.ts';
import type { DryRun } from '../types.ts';
import { faultSentence, judge, subjectOf } from './condition.ts';
import { wants } from './match.ts';

type Verdict = Pick<DryRun['events'][number], 'verdict' | 'reason'>;

/** What would have become of an event: no word of it is in the answer, since who asks may not be who may read it. */
export function dryRunOne(patterns: readonly string[], condition: Compiled | null, event: StoredEvent): Verdict {
  if (!wants(patterns, event.type)) {
    return { verdict: 'type_not_chosen', reason: `${event.type} is not among the chosen events` };
  }
  if (condition === null) return { verdict: 'matched', reason: null };
  if (event.data === null) return { verdict: 'erased', reason: 'its payload was erased' };
  const verdict = judge(condition, subjectOf(event));
  if (verdict === true) return { verdict: 'matched', reason: null };
  if (verdict === false) return { verdict: 'condition_false', reason: 'the condition is false for it' };
  return { verdict: 'condition_error', reason: faultSentence(verdict) };
}
