import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { givingWay } from '../../src/core/rules/give-way.ts';

const due = fc.array(fc.record({ attempts: fc.nat(2) }), { maxLength: 40 });
const now = fc.integer({ min: 1.7e12, max: 2e12 });
const tried = (count: number, attempts: number) => Array.from({ length: count }, () => ({ attempts }));

describe('giving way to first attempts', () => {
  it.each([
    ['nothing while first attempts fill half', [...tried(5, 1), ...tried(5, 0)], 10, 0],
    ['of ten retries the five that are due shortest', tried(10, 1), 10, 5],
    ['nothing where a share was not filled', tried(9, 1), 10, 0],
    ['nothing of first attempts', tried(10, 0), 10, 0],
  ])('%s', (_what, given, count, expected) => {
    expect(givingWay(given, count, 0)).toEqual(given.slice(given.length - expected));
  });

  it('leaves retries half of the share, and takes none that is due longer than one that stays', () => {
    fc.assert(
      fc.property(due, fc.nat(40), now, (given, count, at) => {
        const giving = givingWay(given, count, at);
        const retries = given.filter(({ attempts }) => attempts > 0);
        expect(giving).toEqual(retries.slice(retries.length - giving.length));
        const stay = retries.length - giving.length;
        const half = [Math.floor(count / 2), Math.ceil(count / 2)];
        expect(giving.length === 0 ? [retries.length] : half).toContain(stay);
      }),
    );
  });

  it('every second time where one is leased at a time, at whatever regular times that is', () => {
    fc.assert(
      fc.property(now, fc.integer({ min: 1, max: 60_000 }), (from, everyMs) => {
        const gave = Array.from({ length: 200 }, (_, n) => givingWay(tried(1, 1), 1, from + n * everyMs).length);
        const longestWait = Math.max(
          ...gave
            .join('')
            .split('1')
            .map(({ length }) => length),
        );
        const longestTurn = Math.max(
          ...gave
            .join('')
            .split('0')
            .map(({ length }) => length),
        );
        expect(Math.max(longestWait, longestTurn)).toBeLessThan(32);
        expect(gave.filter((count) => count === 1).length).toBeGreaterThan(50);
        expect(gave.filter((count) => count === 0).length).toBeGreaterThan(50);
      }),
    );
  });
});
