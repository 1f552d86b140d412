import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { givingWay } from '../../src/core/rules/give-way.ts';

const due = fc.array(fc.record({ attempts: fc.nat(2) }), { maxLength: 40 });
const tried = (count: number, attempts: number) => Array.from({ length: count }, () => ({ attempts }));

describe('giving way to first attempts', () => {
  it.each([
    ['nothing while first attempts fill half', [...tried(5, 1), ...tried(5, 0)], 10, 0],
    ['of ten retries the five that are due shortest', tried(10, 1), 10, 5],
    ['nothing where a share was not filled', tried(9, 1), 10, 0],
    ['nothing of a share of one', tried(1, 1), 1, 0],
    ['nothing of first attempts', tried(10, 0), 10, 0],
  ])('%s', (_what, given, count, expected) => {
    expect(givingWay(given, count)).toEqual(given.slice(given.length - expected));
  });

  it('leaves retries at least half of the share, and takes none that is due longer than one that stays', () => {
    fc.assert(
      fc.property(due, fc.nat(40), (given, count) => {
        const giving = givingWay(given, count);
        const retries = given.filter(({ attempts }) => attempts > 0);
        expect(giving).toEqual(retries.slice(retries.length - giving.length));
        const stay = retries.length - giving.length;
        expect(stay).toBe(giving.length === 0 ? retries.length : Math.ceil(count / 2));
      }),
    );
  });
});
