import { describe, expect, it } from 'vitest';
import { makeConditions } from '../../src/conditions/conditions.ts';
import { functionNames } from '../../src/conditions/functions.ts';
import { limits } from '../../src/core/inputs.ts';
import type { ConditionFault } from '../../src/core/ports/conditions.ts';

const conditions = makeConditions();
const event = { id: 'evt_1', type: 'opportunity.won', timestamp: '2026-11-23T10:00:00.000Z' };

function valueOf(text: string, data: unknown = {}): boolean | ConditionFault {
  const compiled = conditions.compile(text);
  if ('fault' in compiled) throw new Error(`${text}: ${compiled.fault.reason}`);
  return compiled.condition({ event, data });
}
function refusalOf(text: string): ConditionFault {
  const compiled = conditions.compile(text);
  if ('fault' in compiled) return compiled.fault;
  throw new Error(`${text} was accepted`);
}

describe('an expression', () => {
  const data = {
    amount: 150.5,
    whole: 100,
    big: 9_007_199_254_740_991,
    stage: 'won',
    nothing: null,
    paid: true,
    contact: { email: 'ada@example.com', tags: ['vip', 'customer'] },
    items: [
      { sku: 'a', count: 2 },
      { sku: 'b', count: 0 },
    ],
    'odd key': 1,
    emoji: 'h😀llo',
    text: '12.5',
  };

  it.each([
    'data.amount > 100',
    'data.whole == 100',
    'data.whole == 100.0',
    'data.whole >= 100 && data.amount < 150.75',
    '!(data.whole > 100)',
    'data.amount > 100 ? data.paid : false',
    'data.big == 9007199254740991',
    'data.big + 1 > data.big',
    'data.amount * 2 > 300.5',
    'data.amount - 0.5 == 150',
    '-data.whole < 0',
    'size(data.items) * 1.5 == 3.0',
    'data.whole in [1, 100, 2.5]',
    'data.stage in ["won", "lost"]',
    '"vip" in data.contact.tags',
    '"email" in data.contact',
    'data.stage != "lost"',
    'data.nothing == null',
    'data.stage != null',
    'data.amount != "150.5"',
    'data["odd key"] == 1',
    'data.items[0].sku == "a"',
    'data.items[size(data.items) - 1].sku == "b"',
    'has(data.contact.email) && !has(data.contact.phone)',
    'has(data.nothing)',
    '!has(data.missing) || data.missing > 1',
    'data.contact.email.endsWith("@example.com")',
    'data.contact.email.startsWith("ada")',
    'data.contact.email.contains("@")',
    '"WON".lowerAscii() == data.stage',
    'size(data.emoji) == 5 && data.emoji.size() == 5',
    'size(data.contact) == 2',
    'double(data.text) == 12.5',
    'string(data.whole) == "100" && string(data.paid) == "true" && string(data.stage) == "won"',
    'data.items.exists(item, item.count > 1)',
    'data.items.all(item, item.sku < "c")',
    'data.items.exists(i, data.contact.tags.exists(t, t == "vip" && i.sku == "b"))',
    'data.contact.exists(key, key == "tags")',
    'event.type == "opportunity.won" && event.id.startsWith("evt_")',
    'event.timestamp > "2026-11-23"',
    'data.paid',
    'data.contact.tags == ["vip", "customer"] // both, in this order',
  ])('holds: %s', (text) => {
    expect(valueOf(text, data)).toBe(true);
  });

  it.each([
    ['data.missing > 1', 'there is no field missing; guard it with has()', 6],
    ['has(data.missing.deeper)', 'there is no field missing; guard it with has()', 10],
    ['data.stage > 1', '> compares two numbers or two texts', 1],
    ['data.stage + 1 > 2', '+ needs two numbers', 1],
    ['data.items[9].sku == "a"', 'there is no such entry', 1],
    ['data.items[0.5].sku == "a"', 'there is no such entry', 1],
    ['data.contact[1] == 1', 'there is no such entry', 1],
    ['data.stage', 'the expression has to come out true or false', 1],
    ['data.paid && data.whole', '&& needs true or false on both sides', 1],
    ['!data.whole', '! needs true or false', 1],
    ['-data.stage < 0', '- needs a number', 1],
    ['data.whole ? true : false', 'what stands before ? has to be true or false', 1],
    ['1 in data.stage', 'in needs a list or an object on its right', 1],
    ['size(data.whole) == 1', 'size() cannot read this value', 1],
    ['double(data.stage) > 1.0', 'double() cannot read this value', 1],
    ['string(data.items) == "x"', 'string() cannot read this value', 1],
    ['data.whole.contains("x")', 'this asks a text about a text', 1],
    ['data.whole.lowerAscii() == "x"', 'lowerAscii() needs a text', 1],
    ['data.whole.exists(x, true)', 'there is no list or object to go through', 1],
    ['data.items.all(x, x.count)', 'the condition on the entries has to be true or false', 1],
  ])('has no value, and says where: %s', (text, reason, column) => {
    expect(valueOf(text, data)).toMatchObject({ reason, line: 1, column });
  });

  it('is decided by the side that decides alone, whatever the other one is', () => {
    expect(valueOf('data.missing || true')).toBe(true);
    expect(valueOf('true || data.missing')).toBe(true);
    expect(valueOf('data.missing && false')).toBe(false);
    expect(valueOf('data.missing && true')).toMatchObject({ reason: expect.stringContaining('missing') });
    expect(valueOf('data.list.exists(x, x > 1)', { list: ['a', 2] })).toBe(true);
    expect(valueOf('data.list.all(x, x > 1)', { list: ['a', 0] })).toBe(false);
    expect(valueOf('data.list.all(x, x > 1)', { list: ['a', 2] })).toMatchObject({ line: 1 });
  });

  it('sees own fields alone, and nothing of JavaScript', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      expect(valueOf(`has(data.${name})`)).toBe(false);
      expect(valueOf(`data["${name}"] == 1`)).toMatchObject({ reason: 'there is no such entry' });
    }
    expect(valueOf('data["__proto__"] == 1', JSON.parse('{"__proto__":1}'))).toBe(true);
    expect(valueOf('data["__proto__"] == 1')).toMatchObject({ reason: 'there is no such entry' });
    expect(valueOf('data.list.exists(x, x == "length")', { list: {} })).toBe(false);
    expect(valueOf('data.list["length"] == 0', { list: [] })).toMatchObject({ reason: 'there is no such entry' });
  });
});

describe('checking an expression', () => {
  it.each([
    ['amount > 100', 'unknown variable: amount', 1, 1],
    ['data.amount >', 'unexpected token: EOF', 1, 14],
    ['data.a == 1\n  && datum.b == 2', 'unknown variable: datum', 2, 6],
    ['event.tpye == "a"', 'no such key: tpye', 1, 7],
    ['event.id > 5', 'no such overload: string > int', 1, 1],
    ['"a text"', 'the expression has to come out true or false', 1, 1],
    ['data.amount / 2 > 1', '/ is not part of the language', 1, 1],
    ['data.amount % 2 == 0', '% is not part of the language', 1, 1],
    ['data == {"a": 1}', 'objects and optional fields are not part of the language', 1, 9],
    ['data.a == b"a"', 'bytes are not part of the language', 1, 11],
    ['size(data.items.map(x, x)) > 1', 'there is no function map of this form', 1, 6],
    ['data.a.matches("(a+)+b")', 'there is no function matches of this form', 1, 1],
    ['has(data)', 'has() invalid argument', 1, 5],
    ['google == 1', 'no such overload', 1, 1],
  ])('refuses %s', (text, reason, line, column) => {
    const refusal = refusalOf(text);
    expect(refusal.reason).toContain(reason);
    expect([refusal.line, refusal.column]).toEqual([line, column]);
  });

  it('names every function that there is', () => {
    expect(refusalOf('data.a.matches("A")').reason).toContain(functionNames.join(', '));
  });

  it('bounds depth and parts', () => {
    const nested = (levels: number) => `${'('.repeat(levels)}true${')'.repeat(levels)}`;
    expect(valueOf(nested(31))).toBe(true);
    expect(refusalOf(nested(32)).reason).toBe('the expression is too long or nests too deep');
    const parts = (count: number) => Array.from({ length: count }, () => 'true').join('||');
    expect(valueOf(parts(250))).toBe(true);
    expect(refusalOf(parts(251)).reason).toBe('the expression is too long or nests too deep');
    expect(refusalOf('!'.repeat(limits.conditionCharactersMax)).reason).toMatch(/too long|unexpected/);
  });

  it('keeps what it compiled', () => {
    expect(conditions.compile('data.kept == 1')).toBe(conditions.compile('data.kept == 1'));
  });
});
