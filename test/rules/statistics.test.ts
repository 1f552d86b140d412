import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StatisticsCell } from '../../src/core/ports/overview-store.ts';
import { buckets, durationBoundsMs, percentileMs } from '../../src/core/rules/statistics.ts';

const cell = (change: Partial<StatisticsCell>): StatisticsCell => ({
  bucketAt: 0,
  succeeded: true,
  durationClass: 0,
  count: 1,
  ...change,
});
const classOf = (ms: number) => {
  const found = durationBoundsMs.findIndex((bound) => ms < bound);
  return found < 0 ? durationBoundsMs.length : found;
};

describe('percentileMs', () => {
  it('is null without attempts', () => {
    expect(percentileMs([], 0.5)).toBeNull();
  });

  it('lies in the class of the exact one, whatever the durations', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1 }),
        fc.constantFrom(0.5, 0.95),
        (all, share) => {
          const sorted = all.toSorted((a, b) => a - b);
          const exact = sorted[Math.ceil(share * all.length) - 1] ?? 0;
          const found = percentileMs(
            all.map((ms) => cell({ durationClass: classOf(ms) })),
            share,
          );
          const low = durationBoundsMs[classOf(exact) - 1] ?? 0;
          const high = durationBoundsMs[classOf(exact)] ?? low;
          expect(found).toBeGreaterThanOrEqual(low);
          expect(found).toBeLessThanOrEqual(high);
        },
      ),
    );
  });
});

describe('buckets', () => {
  it('holds every step of the span, the silent ones too, and nothing beyond it', () => {
    const cells = [
      cell({ bucketAt: 10, count: 3 }),
      cell({ bucketAt: 10, succeeded: false, durationClass: 2 }),
      cell({ bucketAt: 30 }),
    ];
    expect(buckets(cells, 0, 30, 10)).toEqual([
      { at: 0, succeeded: 0, failed: 0 },
      { at: 10, succeeded: 3, failed: 1 },
      { at: 20, succeeded: 0, failed: 0 },
    ]);
  });
});
