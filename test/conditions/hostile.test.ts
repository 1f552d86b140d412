import { describe, expect, it } from 'vitest';
import { makeConditions } from '../../src/conditions/conditions.ts';
import { limits } from '../../src/core/inputs.ts';

/** Far above what it takes here and far below what each of these takes without the limit of steps: seconds to years. */
const msMax = 100;
/** What this thread computed since then, however busy the machine is. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since);
  return (user + system) / 1_000;
}

const tooLarge = 'this event is too large for the expression';
const conditions = makeConditions();
const event = { id: 'evt_1', type: 'a.b', timestamp: '2026-11-23T10:00:00.000Z' };
const repeated = (part: string, join: string) => {
  const parts: string[] = [];
  while ([...parts, part].join(join).length < 1_900 && parts.length < 40) parts.push(part);
  return parts.join(join);
};

const numbers = Array.from({ length: 125_000 }, () => 1);
const keys = Object.fromEntries(Array.from({ length: 25_000 }, (_, index) => [`k${index}`, 1]));
const half = 'a'.repeat(25_000);

const attacks: { what: string; text: string; data: object }[] = [
  { what: 'a loop', text: 'data.n.all(x, x == 1)', data: { n: numbers } },
  {
    what: 'loops in loops',
    text: 'data.n.all(x, data.n.all(y, data.n.all(z, x == 1)))',
    data: { n: numbers },
  },
  {
    what: 'a loop whose condition is long',
    text: `data.n.exists(x, ${repeated('x == 2', ' || ')})`,
    data: { n: numbers },
  },
  { what: 'a loop of errors', text: `data.n.exists(x, ${repeated('x.y == 2', ' || ')})`, data: { n: numbers } },
  {
    what: 'a search that compares everything with everything',
    text: 'data.long.contains(data.sought)',
    data: { long: 'a'.repeat(200_000), sought: `${half}b${half}` },
  },
  {
    what: 'many searches',
    text: repeated('data.long.contains("aaaaaaaaab")', ' || '),
    data: { long: 'a'.repeat(250_000) },
  },
  {
    what: 'searches in a loop',
    text: 'data.n.exists(x, data.long.contains("aaab"))',
    data: { n: numbers.slice(0, 60_000), long: 'a'.repeat(100_000) },
  },
  { what: 'deep equality', text: repeated('data.a == data.b', ' && '), data: { a: keys, b: { ...keys } } },
  { what: 'lists of equal lists', text: 'data.a in data.b', data: { a: numbers, b: [numbers, numbers] } },
  { what: 'keys counted again and again', text: repeated('size(data.a) == 1', ' || '), data: { a: keys } },
  { what: 'keys in a loop', text: 'data.n.exists(x, data.a.exists(k, k == ""))', data: { n: numbers, a: keys } },
  {
    what: 'long texts counted and turned over',
    text: repeated('data.long.lowerAscii().size() == 1', ' || '),
    data: { long: 'A'.repeat(250_000) },
  },
  { what: 'long texts compared', text: repeated('data.a < data.b', ' || '), data: { a: half, b: `${half}a` } },
];

describe('a hostile expression on an event of 256 KiB', () => {
  it.each(attacks)('ends soon: $what', ({ text, data }) => {
    expect(text.length).toBeLessThanOrEqual(limits.conditionCharactersMax);
    const compiled = conditions.compile(text);
    if ('fault' in compiled) throw new Error(`${text}: ${compiled.fault.reason}`);
    const before = process.threadCpuUsage();
    const verdict = compiled.condition({ event, data });
    expect(cpuMs(before)).toBeLessThan(msMax);
    const reason = typeof verdict === 'boolean' ? tooLarge : verdict.reason;
    expect(reason).toBe(tooLarge);
  });

  it('is most often one that has no value, and an honest one has', () => {
    const verdicts = attacks.map(({ text, data }) => {
      const compiled = conditions.compile(text);
      return 'fault' in compiled ? null : typeof compiled.condition({ event, data });
    });
    expect(verdicts.filter((one) => one === 'object').length).toBeGreaterThan(attacks.length / 2);
    const honest = conditions.compile('data.rows.exists(row, row.amount > 1990 && row.state == "open")');
    const rows = Array.from({ length: 2_000 }, (_, amount) => ({ amount, state: 'open' }));
    expect('condition' in honest && honest.condition({ event, data: { rows } })).toBe(true);
    const text = conditions.compile('data.body.contains("invoice overdue")');
    expect('condition' in text && text.condition({ event, data: { body: 'x'.repeat(100_000) } })).toBe(false);
  });
});
