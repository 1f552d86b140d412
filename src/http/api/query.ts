import { type FieldError, PosthornError } from '../../core/errors.ts';
import { type Fields, includeField } from './fields.ts';

/**
 * The query string as a part of core's input: numbers and booleans become what they are written as.
 * Throws `validation_failed` for a parameter that is unknown, repeated or not of its type, with the path `/name`.
 */
export function readQuery(url: string, known: Fields['query']): Record<string, unknown> {
  const start = url.indexOf('?');
  if (start === -1) return {};
  const input: Record<string, unknown> = {};
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [name, text] of new URLSearchParams(url.slice(start + 1))) {
    const field = known.get(name);
    const message = field === undefined ? 'is not a parameter of this request' : wrong(field.schema.type, text);
    if (seen.has(name)) errors.push({ path: pathOf(name), message: 'may be given only once' });
    else if (message !== null) errors.push({ path: pathOf(name), message });
    else if (name !== 'include') input[name] = valueOf(field?.schema.type, text);
    else if (text === 'untrusted_response') input[includeField] = true;
    else errors.push({ path: '/include', message: 'can only be untrusted_response' });
    seen.add(name);
  }
  const first = errors[0];
  if (first === undefined) return input;
  throw new PosthornError('validation_failed', `The query parameter ${first.path.slice(1)} ${first.message}.`, {
    errors,
  });
}

function wrong(type: unknown, text: string): string | null {
  if (type === 'integer' && !/^-?\d{1,15}$/.test(text)) return 'must be a whole number';
  if (type === 'boolean' && text !== 'true' && text !== 'false') return 'must be true or false';
  return null;
}

function valueOf(type: unknown, text: string): unknown {
  if (type === 'integer') return Number(text);
  return type === 'boolean' ? text === 'true' : text;
}

function pathOf(name: string): string {
  return `/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
