import fc from 'fast-check';

type Json = Record<string, unknown>;

/** What makes a text that fits the document into one that works: names that exist, a URL that may be called. */
export interface Known {
  /** By the name of a field or parameter. */
  values: Record<string, unknown[]>;
  /** Ids for the parameter `id` of an operation: some exist, some are foreign, some never were. */
  ids: (operation: { method: string; path: string }) => string[];
}

/** Text that breaks what was written for ASCII: control characters, overrides, other planes, lone surrogates. */
export const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    'a\r\nb: c',
    '\u202e\u2066',
    '\ud800',
    '__proto__',
    'constructor',
    '../..',
    "';--",
  ),
);

/** Stands in a value for text that JSON.stringify would not write. */
const rawMark = '@raw ';
const nested = [100, 3_000, 30_000].flatMap((levels) => [
  '['.repeat(levels) + ']'.repeat(levels),
  `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`,
]);
const raw = [
  '1e400',
  '-1e400',
  '-0',
  '123456789012345678901234567890',
  '1e-400',
  '{"a":1,"a":2}',
  '{"__proto__":{"admin":true}}',
  '[{"constructor":{"prototype":1}}]',
  '{"":{"":{}}}',
  '"\\u0000"',
  '"\\ud800"',
  ...nested,
];
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, 0, -1, 1.5, 2 ** 53, '', [], {}),
  fc.nat({ max: raw.length - 1 }).map((index) => `${rawMark}${index}`),
  oddText,
  fc.jsonValue({ maxDepth: 3 }),
);

/** The value as JSON text, with what no value can say. */
export function written(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    new RegExp(`"${rawMark}(\\d+)"`, 'g'),
    (_, index: string) => raw[Number(index)] ?? '',
  );
}

const strayNames = [
  'surprise',
  '__proto__',
  'constructor',
  'toString',
  '',
  'ID',
  'subscription_id',
  'workspace_id',
  'a/b~c',
];

/** The value with one thing wrong: a field gone, of another type, too large, repeated, or one too many. */
export function spoiled(value: unknown): fc.Arbitrary<unknown> {
  if (Array.isArray(value) && value.length > 0) {
    return fc.oneof(
      spoiled(value[0]).map((first) => [first, ...value.slice(1)]),
      fc.constant([]),
      oddValue,
    );
  }
  if (typeof value !== 'object' || value === null) return oddValue;
  const fields = Object.entries(value);
  const extra = fc
    .tuple(fc.constantFrom(...strayNames), oddValue)
    .map(([name, odd]) => Object.fromEntries([...fields, [name, odd]]));
  if (fields.length === 0) return fc.oneof(extra, oddValue);
  const one = fc.nat({ max: fields.length - 1 });
  const replaced = fc
    .tuple(
      one,
      fc.oneof(
        oddValue,
        fc.constantFrom(
          'x'.repeat(3_000),
          Array.from({ length: 101 }, () => '*'),
        ),
      ),
    )
    .map(([at, odd]) => Object.fromEntries(fields.map(([name, old], index) => [name, index === at ? odd : old])));
  const gone = one.map((at) => Object.fromEntries(fields.filter((_, index) => index !== at)));
  return fc.oneof(extra, replaced, gone, oddValue);
}

export function pick(known: Known, name: string): fc.Arbitrary<unknown> {
  return fc.constantFrom(...(known.values[name] ?? ['unknown']));
}

/** Values that a schema of the document allows; fields with known values get one of these most of the time. */
export function valuesOf(schema: Json, known: Known, name: string): fc.Arbitrary<unknown> {
  const typical = valuesOfType(schema, known, name);
  if (known.values[name] === undefined) return typical;
  return fc.oneof({ arbitrary: pick(known, name), weight: 4 }, { arbitrary: typical, weight: 1 });
}

function valuesOfType(schema: Json, known: Known, name: string): fc.Arbitrary<unknown> {
  const { type, minLength = 0, maxLength = 60, minItems = 0, maxItems = 4 } = schema as Record<string, number>;
  const choices = (schema['anyOf'] ?? schema['oneOf']) as Json[] | undefined;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => valuesOfType(choice, known, name)));
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  if (Array.isArray(type)) return fc.oneof(...type.map((one) => valuesOfType({ ...schema, type: one }, known, name)));
  switch (String(type)) {
    case 'string':
      return stringsOf(schema, minLength, Math.min(maxLength, 60));
    case 'integer':
      return fc.integer({ min: Number(schema['minimum'] ?? 0), max: Number(schema['maximum'] ?? 1_000) });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(valuesOf(schema['items'] as Json, known, `${name}[]`), {
        minLength: minItems,
        maxLength: Math.min(maxItems, 4),
      });
    case 'object':
      return schema['properties'] === undefined ? anyObject : objectsOf(schema, known);
    default:
      return fc.constant(null);
  }
}

const anyObject = fc.oneof(
  fc.dictionary(oddText, oddValue, { maxKeys: 4 }),
  fc.dictionary(fc.constantFrom('a', '__proto__', 'constructor'), oddValue, { maxKeys: 3, noNullPrototype: true }),
);

function objectsOf(schema: Json, known: Known): fc.Arbitrary<unknown> {
  const properties = Object.entries(schema['properties'] as Record<string, Json>);
  const required = (schema['required'] ?? []) as string[];
  return fc.record(Object.fromEntries(properties.map(([field, one]) => [field, valuesOf(one, known, field)])), {
    requiredKeys: required,
  });
}

function stringsOf(schema: Json, minLength: number, maxLength: number): fc.Arbitrary<string> {
  const { pattern } = schema;
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern));
  if (schema['format'] === 'date-time') {
    const range = { min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true };
    return fc.date(range).map((date) => date.toISOString());
  }
  return fc.string({ unit: 'grapheme', minLength, maxLength });
}
