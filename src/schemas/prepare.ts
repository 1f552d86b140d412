import type { SchemaFault } from '../core/ports/schemas.ts';
import { patternFault } from './budget.ts';

/** What counts the steps of a check, put into every subschema. */
export const stepsKeyword = 'x-posthorn-steps';

const schemaCharactersMax = 32_768;
const choicesMax = 1_000;
/** Uniqueness compares every entry with every other one. */
const uniqueItemsMax = 256;
const choicesPerStep = 16;

/** Where subschemas stand. */
const single = new Set([
  'items',
  'additionalProperties',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
]);
const listed = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const named = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
/** What else is looked at. Everything that is in neither list is a note for people and left out: nothing may refer to it. */
const plain = new Set([
  '$ref',
  '$dynamicRef',
  '$anchor',
  '$dynamicAnchor',
  'type',
  'enum',
  'const',
  'multipleOf',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'format',
  'maxItems',
  'minItems',
  'uniqueItems',
  'maxContains',
  'minContains',
  'maxProperties',
  'minProperties',
  'required',
  'dependentRequired',
]);

interface Schema {
  [keyword: string]: unknown;
}

/** A schema that somebody sent, made fit to be run here, or why it is not. */
export function prepare(text: string): { schema: Schema } | { fault: SchemaFault } {
  if (text.length > schemaCharactersMax) {
    return { fault: { path: '', message: `must have at most ${schemaCharactersMax} characters of JSON` } };
  }
  const faults: SchemaFault[] = [];
  const root = JSON.parse(text) as Schema;
  const schema = counted(root, '', (part, path) => faults.push(...faultsOf(root, part, path)));
  const [fault] = faults;
  return fault === undefined ? { schema: schema as Schema } : { fault };
}

/** The schema with a count of steps in each of its parts, which `see` gets before. */
function counted(part: unknown, path: string, see: (part: Schema, path: string) => void): unknown {
  if (!isObject(part)) return part;
  see(part, path);
  const at = (...steps: string[]) => path + steps.map((step) => `/${escaped(step)}`).join('');
  const entries = Object.entries(part).flatMap(([keyword, value]): [string, unknown][] => {
    if (single.has(keyword)) return [[keyword, counted(value, at(keyword), see)]];
    if (listed.has(keyword) && Array.isArray(value)) {
      return [[keyword, value.map((one, index) => counted(one, at(keyword, String(index)), see))]];
    }
    if (named.has(keyword) && isObject(value)) {
      const inner = Object.entries(value).map(([name, one]) => [name, counted(one, at(keyword, name), see)]);
      return [[keyword, Object.fromEntries(inner)]];
    }
    return plain.has(keyword) || listed.has(keyword) || named.has(keyword) ? [[keyword, value]] : [];
  });
  return { ...Object.fromEntries(entries), [stepsKeyword]: stepsOf(part) };
}

function stepsOf({ enum: choices, required, properties }: Schema): number {
  const compared = Array.isArray(choices) ? choices.length : 0;
  const asked =
    (Array.isArray(required) ? required.length : 0) + (isObject(properties) ? Object.keys(properties).length : 0);
  return 1 + Math.ceil((compared + asked) / choicesPerStep);
}

const dialect = 'https://json-schema.org/draft/2020-12/schema';

/** What must not be run. */
function faultsOf(root: Schema, part: Schema, path: string): SchemaFault[] {
  const { $schema = dialect, $id, $ref, $dynamicRef, pattern, patternProperties, uniqueItems, maxItems } = part;
  const when = (isWrong: boolean, keyword: string, message: string): SchemaFault[] =>
    isWrong ? [{ path: `${path}/${keyword}`, message }] : [];
  const patterns = isObject(patternProperties) ? Object.keys(patternProperties) : [];
  const elsewhere = 'must lead to another part of this schema, as #/$defs/name does';
  return [
    ...when($schema !== dialect, '$schema', `must be ${dialect}`),
    ...when($id !== undefined && path !== '', '$id', 'may stand at the top only'),
    ...when(typeof $ref === 'string' && !leadsInside(root, $ref), '$ref', elsewhere),
    ...when(typeof $dynamicRef === 'string' && !leadsInside(root, $dynamicRef), '$dynamicRef', elsewhere),
    ...when(
      Array.isArray(part['enum']) && part['enum'].length > choicesMax,
      'enum',
      `must have at most ${choicesMax} values`,
    ),
    ...when(
      uniqueItems === true && !(typeof maxItems === 'number' && maxItems <= uniqueItemsMax),
      'uniqueItems',
      `needs maxItems of at most ${uniqueItemsMax} beside it`,
    ),
    ...patternFaults(typeof pattern === 'string' ? [pattern] : [], () => `${path}/pattern`),
    ...patternFaults(patterns, (one) => `${path}/patternProperties/${escaped(one)}`),
  ];
}

function patternFaults(patterns: string[], pathOf: (pattern: string) => string): SchemaFault[] {
  return patterns.flatMap((pattern) => {
    const message = patternFault(pattern);
    return message === null ? [] : [{ path: pathOf(pattern), message }];
  });
}

/** Whether a reference leads to a subschema, whose steps are counted, and not into a value or to somewhere else. */
function leadsInside(root: Schema, reference: string): boolean {
  if (!reference.startsWith('#')) return false;
  if (!reference.startsWith('#/')) return true;
  let part: unknown = root;
  const steps = decoded(reference.slice(2)).split('/');
  while (steps.length > 0) {
    const keyword = steps.shift() ?? '';
    const inner: unknown = isObject(part) && Object.hasOwn(part, keyword) ? part[keyword] : undefined;
    if (single.has(keyword)) part = inner;
    else if (!listed.has(keyword) && !named.has(keyword)) return false;
    else
      part = isObject(inner) || Array.isArray(inner) ? Reflect.get(inner, unescaped(steps.shift() ?? '')) : undefined;
  }
  return isObject(part) || typeof part === 'boolean';
}

/** A reference that cannot be decoded leads nowhere. */
function decoded(pointer: string): string {
  try {
    return decodeURIComponent(pointer);
  } catch {
    return '';
  }
}

function escaped(step: string): string {
  return step.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}

function unescaped(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
