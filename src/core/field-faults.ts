import type { z } from 'zod';
import type { FieldError } from './errors.ts';

const kinds: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  string: 'a text',
};
const things: Record<string, [one: string, more: string]> = {
  array: ['entry', 'entries'],
  string: ['character', 'characters'],
};

/** What is wrong with a field, in a sentence that a person can read too; undefined: as zod says it. */
export function faultOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is missing'
        : `must be ${kinds[issue.expected] ?? `of type ${issue.expected}`}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return bound(issue.origin, Number(issue.minimum), 'at least');
    case 'too_big':
      return bound(issue.origin, Number(issue.maximum), 'at most');
    default:
      return undefined;
  }
}

function bound(origin: string, limit: number, side: 'at least' | 'at most'): string {
  const counted = things[origin];
  if (counted === undefined) return `must be ${side} ${limit}`;
  if (side === 'at least' && limit === 1) return origin === 'string' ? 'must not be empty' : 'needs at least one';
  return `must have ${side} ${limit} ${counted[limit === 1 ? 0 : 1]}`;
}

/** The fields that an issue names, each with its JSON pointer. `at`: the pointer of what was checked. */
export function fieldErrors(issue: z.core.$ZodIssue, at: string): FieldError[] {
  const path = at + pointer(issue.path);
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: `${path}${pointer([key])}`, message: 'is not a field of this request' }));
}

function pointer(path: PropertyKey[]): string {
  return path.map((step) => `/${String(step).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** A sentence for all of them. */
export function describeFirst(errors: FieldError[]): string {
  const first = errors[0];
  if (!first) return 'The input is not valid.';
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return `${first.path === '' ? 'The body' : first.path}: ${first.message}${more}`;
}
