import { describe, expect, it } from 'vitest';
import type { SchemaFault } from '../../src/core/ports/schemas.ts';
import { schemas } from '../../src/schemas/schemas.ts';

async function refusalOf(schema: object): Promise<SchemaFault> {
  const compiled = await schemas.compile(JSON.stringify(schema));
  if ('fault' in compiled) return compiled.fault;
  throw new Error(`${JSON.stringify(schema)} was accepted`);
}
async function check(schema: object, data: unknown): Promise<SchemaFault | null> {
  const compiled = await schemas.compile(JSON.stringify(schema));
  if ('fault' in compiled) throw new Error(`${compiled.fault.path} ${compiled.fault.message}`);
  return compiled.check(data);
}

describe('a schema', () => {
  it.each([
    [{ type: 'strin' }, '/type'],
    [{ properties: { a: { minimum: 'x' } } }, '/properties/a/minimum'],
    [{ $schema: 'http://json-schema.org/draft-07/schema#' }, '/$schema'],
    [{ properties: { a: { $ref: 'https://example.com/a.json' } } }, '/properties/a/$ref'],
    [{ $dynamicRef: 'other#a' }, '/$dynamicRef'],
    [{ $ref: '#/$defs/missing' }, '/$ref'],
    [{ $ref: '#missing' }, ''],
    [{ note: { anyOf: [{ $ref: '#/note' }] }, $ref: '#/note' }, '/$ref'],
    [{ const: { not: {} }, $ref: '#/const/not' }, '/$ref'],
    [{ note: { $anchor: 'a' }, $ref: '#a' }, ''],
    [{ $ref: '#/%' }, '/$ref'],
    [{ items: { $id: 'https://example.com/a' } }, '/items/$id'],
    [{ pattern: '(?=a)' }, '/pattern'],
    [{ pattern: '(a)\\1' }, '/pattern'],
    [{ pattern: 'a'.repeat(513) }, '/pattern'],
    [{ pattern: '(a{500}){3}' }, '/pattern'],
    [{ patternProperties: { '(?!x)/': {} } }, '/patternProperties/(?!x)~1'],
    [{ allOf: [{}, { not: { uniqueItems: true } }] }, '/allOf/1/not/uniqueItems'],
    [{ uniqueItems: true, maxItems: 257 }, '/uniqueItems'],
    [{ enum: Array.from({ length: 1_001 }, (_, one) => one) }, '/enum'],
    [{ description: 'x'.repeat(32_768) }, ''],
  ])('is refused with the place: %j', async (schema, path) => {
    expect((await refusalOf(schema)).path).toBe(path);
  });

  it.each([
    [{ pattern: 'a'.repeat(512) }, 'a'.repeat(512)],
    [{ description: 'x'.repeat(32_768 - '{"description":""}'.length) }, 1],
    [{ uniqueItems: true, maxItems: 256 }, [1, 2]],
    [{ enum: Array.from({ length: 1_000 }, (_, one) => one) }, 999],
    [{ $schema: 'https://json-schema.org/draft/2020-12/schema', 'x-note': 1, format: 'made-up' }, 'x'],
    [{ $ref: '#/$defs/a', $defs: { a: { type: 'integer' } } }, 1],
    [{ $id: 'https://example.com/x', $ref: '#a', $defs: { a: { $anchor: 'a', type: 'integer' } } }, 1],
    [{ 'x-posthorn-steps': 'x' }, 1],
    [{ $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': { type: 'integer' } } }, 1],
    [{ allOf: [{ type: 'integer' }], items: { $ref: '#/allOf/0' } }, 1],
    [{ prefixItems: [{ type: 'string' }], items: false }, ['a']],
    [{ type: 'object', properties: { a: { type: 'string' } }, unevaluatedProperties: false }, { a: 'x' }],
    [{ type: 'string', pattern: '^\\p{L}+-\\d{2,4}$' }, 'ä-123'],
  ])('is taken, with what fits it: %j', async (schema, data) => {
    expect(await check(schema, data)).toBeNull();
  });

  it.each([
    [{ properties: { amount: { type: 'number' } } }, { amount: 'x' }, '/amount', 'must be number'],
    [{ properties: { list: { items: { minimum: 1 } } } }, { list: [1, 0] }, '/list/1', 'must be >= 1'],
    [{ required: ['a'] }, {}, '', "must have required property 'a'"],
    [{ properties: { a: true }, additionalProperties: false }, { b: 1 }, '', 'must NOT have additional properties: b'],
    [{ enum: ['a', 'b'] }, 'c', '', 'must be equal to one of the allowed values: ["a","b"]'],
    [{ pattern: '^a+$' }, 'b', '', 'must match pattern "^a+$"'],
    [{ format: 'email' }, 'nobody', '', 'must match format "email"'],
    [{ format: 'date-time' }, 'yesterday', '', 'must match format "date-time"'],
    [{ properties: { 'a/b': { type: 'null' } } }, { 'a/b': 1 }, '/a~1b', 'must be null'],
    [{ unevaluatedProperties: false }, { a: 1 }, '', 'must NOT have unevaluated properties'],
  ])('says what does not fit: %j', async (schema, data, path, message) => {
    expect(await check(schema, data)).toEqual({ path, message });
  });

  it('can refer to no other one', async () => {
    await schemas.compile(JSON.stringify({ $id: 'urn:theirs', $defs: { secret: { const: 'canary' } } }));
    expect((await refusalOf({ $id: 'urn:mine', $ref: '#/$defs/secret' })).path).toBe('/$ref');
    expect((await refusalOf({ $ref: 'urn:theirs#/$defs/secret' })).path).toBe('/$ref');
  });
});

/** Far above what these take here, and far below what they take without a limit of steps: minutes to ages. */
const msMax = 500;
/** What this thread computed since then, however busy the machine is. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since);
  return (user + system) / 1_000;
}

describe('a hostile schema on an event of 256 KiB', () => {
  const doubling = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => {
      const next = { $ref: `#/$defs/d${index + 1}` };
      return [`d${index}`, index === 59 ? { required: ['x'] } : { anyOf: [next, next] }];
    }),
  );
  const nested = (levels: number): object => (levels === 0 ? {} : { a: nested(levels - 1) });
  const twice = { allOf: [{ properties: { a: { $ref: '#' } } }, { required: ['x'] }] };
  const tooLarge = { path: '', message: 'is too large to be checked against its schema' };

  it.each([
    ['alternatives that double', { $ref: '#/$defs/d0', $defs: doubling }, {}],
    ['recursion that doubles', { anyOf: [twice, { ...twice, title: 'again' }] }, nested(90)],
    ['a subschema for each entry', { items: { allOf: [{}, {}, {}] } }, Array.from({ length: 125_000 }, () => 1)],
    [
      'long choices for each entry',
      { items: { enum: Array.from({ length: 1_000 }, (_, one) => one) } },
      Array.from({ length: 60_000 }, () => 999),
    ],
    ['a large pattern on a long text', { pattern: '(a?){100}(a?){100}b$' }, 'a'.repeat(250_000)],
    [
      'patterns of names',
      { patternProperties: { '(x+x+)+y': {} } },
      Object.fromEntries(Array.from({ length: 20_000 }, (_, one) => [`xxxxxxx${one}`, 1])),
    ],
  ])('ends soon: %s', async (_what, schema, data) => {
    const compiled = await schemas.compile(JSON.stringify(schema));
    const before = process.threadCpuUsage();
    expect('check' in compiled && compiled.check(data)).toEqual(tooLarge);
    expect(cpuMs(before)).toBeLessThan(msMax);
  });

  it.each([
    ['nested repetition', { pattern: '^(a+)+$' }, `${'a'.repeat(5_000)}!`],
    ['a format of a long text', { format: 'email' }, `a@${'a.'.repeat(120_000)}!`],
    ['another', { format: 'hostname' }, 'a-'.repeat(120_000)],
    ['a third', { format: 'uri' }, `a:${'/'.repeat(240_000)} `],
    ['uniqueness', { uniqueItems: true, maxItems: 256 }, Array.from({ length: 125_000 }, () => ({}))],
  ])('is checked to the end, soon: %s', async (_what, schema, data) => {
    const compiled = await schemas.compile(JSON.stringify(schema));
    const before = process.threadCpuUsage();
    expect('check' in compiled && compiled.check(data)?.message).toMatch(/^must /);
    expect(cpuMs(before)).toBeLessThan(msMax);
  });

  it('that refers to itself without end says so', async () => {
    const endless = { anyOf: [{ required: ['x'] }, { $ref: '#' }] };
    expect(await check(endless, {})).toEqual({ path: '', message: 'cannot be checked: its schema refers to itself' });
    expect(await check({ properties: { a: { $ref: '#' } } }, nested(90))).toBeNull();
  });
});
