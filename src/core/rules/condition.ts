import { PosthornError } from '../errors.ts';
import { limits } from '../inputs.ts';
import type { StoredEvent } from '../ports/record-store.ts';
import type { Compiled, ConditionFault, Conditions, ConditionSubject } from '../ports/conditions.ts';

/** What conditions see of an event: the body that receivers get, in two parts. */
export function subjectOf({ publicId, type, occurredAt, data }: StoredEvent): ConditionSubject {
  return {
    event: { id: publicId, type, timestamp: new Date(occurredAt).toISOString() },
    data: JSON.parse(data ?? 'null'),
  };
}

/** Whether the condition holds. One that no longer compiles errs as one that has no value does. */
export function judge(compiled: Compiled, subject: ConditionSubject): boolean | ConditionFault {
  return 'fault' in compiled ? compiled.fault : compiled.condition(subject);
}

/** A fault as people read it. */
export function faultSentence({ reason, line, column }: ConditionFault): string {
  return `${reason} (line ${line}, column ${column})`;
}

/** Throws `invalid_expression`, with the place of what is wrong, unless the text is an expression of the language. */
export function checkCondition(conditions: Conditions, text: string | null | undefined, path: string): void {
  if (text === null || text === undefined) return;
  const compiled = conditions.compile(text);
  if (!('fault' in compiled)) return;
  const message = faultSentence(compiled.fault).slice(0, limits.conditionCharactersMax);
  throw new PosthornError('invalid_expression', `${path.slice(1)}: ${message}.`, { errors: [{ path, message }] });
}
