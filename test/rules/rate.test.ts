import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRateLimit } from '../../src/core/rules/rate.ts';

const minuteMs = 60_000;
const perMinute = fc.integer({ min: 1, max: 100_000 });

describe('a rate limit', () => {
  it('lets a whole minute pass at once, then fills evenly', () => {
    const limit = makeRateLimit(60);
    expect(limit.take('a', 60, 0)).toBeNull();
    expect(limit.take('a', 1, 0)).toBe(1);
    expect(limit.take('a', 30, 0)).toBe(30);
    expect(limit.take('a', 1, 999)).toBe(1);
    expect(limit.take('a', 1, 1_000)).toBeNull();
    expect(limit.take('a', 60, minuteMs)).toBe(1);
    expect(limit.take('a', 60, minuteMs + 1_000)).toBeNull();
  });

  it('counts every caller apart', () => {
    const limit = makeRateLimit(1);
    expect([limit.take('a', 1, 0), limit.take('b', 1, 0)]).toEqual([null, null]);
    expect([limit.take('a', 1, 0), limit.take('b', 1, 0)]).toEqual([60, 60]);
  });

  it('holds no more than one minute, however long nobody came', () => {
    const limit = makeRateLimit(10);
    limit.take('a', 1, 0);
    expect(limit.take('a', 10, 100 * minuteMs)).toBeNull();
    expect(limit.take('a', 1, 100 * minuteMs)).toBe(6);
  });

  it('lets more than a minute holds pass when the minute is full', () => {
    const limit = makeRateLimit(10);
    expect(limit.take('a', 1_000, 0)).toBeNull();
    expect(limit.take('a', 1_000, 59_999)).toBe(1);
    expect(limit.take('a', 1_000, minuteMs)).toBeNull();
  });

  it('stands still when the clock goes back', () => {
    const limit = makeRateLimit(1);
    limit.take('a', 1, minuteMs);
    expect(limit.take('a', 1, 0)).toBe(60);
    const quick = makeRateLimit(minuteMs);
    quick.take('a', minuteMs, 1);
    expect(quick.take('a', 1, 0)).toBe(1);
  });

  it('remembers 10,000 callers, and forgets whoever came longest ago', () => {
    const limit = makeRateLimit(1);
    for (let caller = 0; caller < 10_000; caller++) limit.take(String(caller), 1, 0);
    expect([limit.take('0', 1, 0), limit.take('9999', 1, 0)]).toEqual([60, 60]);
    expect(limit.take('one more', 1, 0)).toBeNull();
    expect([limit.take('1', 1, 0), limit.take('9999', 1, 0)]).toEqual([60, 60]);
    expect(limit.take('0', 1, 0)).toBeNull();
  });

  it('takes back what it gave, and no more than a minute holds', () => {
    const limit = makeRateLimit(2);
    limit.give('a', 5);
    expect([limit.take('a', 2, 0), limit.take('a', 1, 0)]).toEqual([null, 30]);
    limit.give('a', 1);
    expect([limit.take('a', 1, 0), limit.take('a', 1, 0)]).toEqual([null, 30]);
    limit.give('a', 9);
    expect([limit.take('a', 2, 0), limit.take('a', 1, 0)]).toEqual([null, 30]);
  });

  it('never lets more pass than one minute’s worth and what has flowed in since', () => {
    const calls = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 20_000 })), {
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), calls, (rate, steps) => {
        const limit = makeRateLimit(rate);
        let [now, passed] = [0, 0];
        for (const [count, waitMs] of steps) {
          now += waitMs;
          if (limit.take('a', count, now) === null) passed += Math.min(count, rate);
          expect(passed).toBeLessThanOrEqual(rate + (now * rate) / minuteMs + 1e-6);
        }
      }),
    );
  });

  it('is enough after the seconds that it names, which are no more than a minute', () => {
    fc.assert(
      fc.property(perMinute, fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.nat(5_000))), (rate, steps) => {
        const limit = makeRateLimit(rate);
        let now = 0;
        for (const [count, waitMs] of steps) {
          now += waitMs;
          const seconds = limit.take('a', count, now);
          if (seconds === null) continue;
          expect(seconds).toBeGreaterThanOrEqual(1);
          expect(seconds).toBeLessThanOrEqual(60);
          now += seconds * 1_000;
          expect(limit.take('a', count, now)).toBeNull();
        }
        expect(limit.take('b', 1, now)).toBeNull();
      }),
    );
  });
});
