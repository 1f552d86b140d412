import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeConditions } from '../../src/conditions/conditions.ts';

/** What the library makes of the same expression. */
const library = new Environment({ homogeneousAggregateLiterals: false })
  .registerVariable('event', 'map')
  .registerVariable('data', 'map')
  .registerOperator('int == double: bool', (a: bigint, b: number) => Number(a) === b);
const conditions = makeConditions();
const event = { id: 'evt_1', type: 'a.b', timestamp: '2026-11-23T10:00:00.000Z' };

const data = {
  one: 1,
  half: 0.5,
  text: 'hello',
  empty: '',
  yes: true,
  no: false,
  nothing: null,
  list: [1, 2.5, 'a'],
  words: ['hello', 'b'],
  object: { a: 1, b: 'x' },
};

const { bool } = fc.letrec<{ number: string; text: string; list: string; bool: string }>((tie) => ({
  number: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('0', '1', '2.5', 'data.one', 'data.half', 'data.text', 'data.missing', 'data.object.a'),
    tie('list').map((list) => `size(${list})`),
    tie('text').map((one) => `${one}.size()`),
    tie('number').map((one) => `double(${one})`),
  ),
  text: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('""', '"hello"', '"ll"', 'data.text', 'data.empty', 'data.object.b', 'data.words[0]', 'event.id'),
    tie('text').map((one) => `${one}.lowerAscii()`),
  ),
  list: fc.constantFrom('data.list', 'data.words', '[1, 2.5]', 'data.object', 'data.missing'),
  bool: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('true', 'false', 'data.yes', 'data.no', 'data.nothing', 'data.missing', 'has(data.one)'),
    fc.constantFrom('has(data.missing)', 'has(data.object.a)', 'has(data.object.c)', 'has(data.missing.c)'),
    fc
      .tuple(tie('number'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('number'))
      .map((parts) => parts.join(' ')),
    fc.tuple(tie('text'), fc.constantFrom('<', '>=', '==', '!='), tie('text')).map((parts) => parts.join(' ')),
    fc
      .tuple(tie('text'), fc.constantFrom('contains', 'startsWith', 'endsWith'), tie('text'))
      .map(([a, name, b]) => `${a}.${name}(${b})`),
    fc.tuple(fc.oneof(tie('number'), tie('text')), tie('list')).map(([one, list]) => `${one} in ${list}`),
    fc.tuple(tie('bool'), fc.constantFrom('&&', '||'), tie('bool')).map(([a, op, b]) => `(${a}) ${op} (${b})`),
    tie('bool').map((one) => `!(${one})`),
    fc.tuple(tie('bool'), tie('bool'), tie('bool')).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
    fc
      .tuple(tie('list'), fc.constantFrom('exists', 'all'), fc.constantFrom('x == 1', 'x > 1', 'x == "a"', 'x'))
      .map(([list, name, condition]) => `${list}.${name}(x, ${condition})`),
    fc.tuple(tie('list'), tie('bool')).map(([list, inner]) => `${list}.exists(x, x == 1 && (${inner}))`),
  ),
}));

function byLibrary(expression: string): boolean | 'no value' {
  try {
    const value: unknown = library.evaluate(expression, { event, data });
    return typeof value === 'boolean' ? value : 'no value';
  } catch {
    return 'no value';
  }
}
function byUs(expression: string): boolean | 'no value' {
  const compiled = conditions.compile(expression);
  const value = 'fault' in compiled ? null : compiled.condition({ event, data });
  return typeof value === 'boolean' ? value : 'no value';
}

describe('evaluation', () => {
  it('comes out as the library has it', () => {
    const seen = new Set<unknown>();
    fc.assert(
      fc.property(bool, (expression) => {
        const expected = byLibrary(expression);
        seen.add(expected);
        expect([expression, byUs(expression)]).toEqual([expression, expected]);
      }),
      { numRuns: 3_000 },
    );
    expect(seen).toEqual(new Set([true, false, 'no value']));
  });
});
