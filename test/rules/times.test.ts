import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs, iso } from '../../src/core/rules/times.ts';

describe('times', () => {
  it('are shown in UTC with milliseconds', () => {
    expect(iso(0)).toBe('1970-01-01T00:00:00.000Z');
    expect(iso(1_795_428_000_000)).toBe('2026-11-23T10:00:00.000Z');
    expect(iso(null)).toBeNull();
  });

  it('lead back to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (at) => {
        expect(Date.parse(iso(at))).toBe(at);
        expect(iso(at)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      }),
    );
  });
});

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['90d', 7_776_000_000],
    ['0s', 0],
    ['007s', 7_000],
  ])('%s is %d ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each([
    '',
    '5',
    's',
    '5 s',
    ' 5s',
    '5s ',
    '5s\n',
    '-5s',
    '+5s',
    '1.5h',
    '1e3s',
    '5S',
    '5M',
    '5w',
    '5y',
    '5sec',
    '1h30m',
    '٥s',
    `${'9'.repeat(30)}d`,
  ])('%j is none', (text) => {
    expect(durationMs(text)).toBeNull();
  });

  it('count exactly or not at all', () => {
    const unit = fc.constantFrom(['ms', 1], ['s', 1_000], ['m', 60_000], ['h', 3_600_000], ['d', 86_400_000] as const);
    fc.assert(
      fc.property(fc.maxSafeNat(), unit, (count, [name, ms]) => {
        const exact = BigInt(count) * BigInt(ms);
        expect(durationMs(`${count}${name}`)).toBe(exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : null);
      }),
    );
  });
});
