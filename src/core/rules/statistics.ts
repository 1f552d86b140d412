import type { StatisticsCell } from '../ports/overview-store.ts';

/** Figures are kept for steps of this length. */
export const bucketMs = 5 * 60_000;

/** Upper bounds of the duration classes. Narrow enough that a percentile is off by a fifth at most. */
export const durationBoundsMs = [
  1, 2, 3, 4, 5, 7, 10, 12, 15, 20, 25, 30, 40, 50, 70, 100, 120, 150, 200, 250, 300, 400, 500, 700, 1_000, 1_200,
  1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 7_000, 10_000, 12_000, 15_000, 20_000, 30_000, 60_000,
] as const;

export interface Bucket {
  at: number;
  succeeded: number;
  failed: number;
}

/** Every bucket of the span, those without attempts too, so that a chart shows silence as silence. */
export function buckets(cells: readonly StatisticsCell[], since: number, until: number, stepMs: number): Bucket[] {
  const all = new Map<number, Bucket>();
  for (let at = since; at < until; at += stepMs) all.set(at, { at, succeeded: 0, failed: 0 });
  for (const { bucketAt, succeeded, count } of cells) {
    const bucket = all.get(bucketAt);
    if (bucket !== undefined) bucket[succeeded ? 'succeeded' : 'failed'] += count;
  }
  return [...all.values()];
}

/** The duration below which this share of the attempts stayed, interpolated in its class; null without attempts. */
export function percentileMs(cells: readonly StatisticsCell[], share: number): number | null {
  const counts = Array.from({ length: durationBoundsMs.length + 1 }, () => 0);
  for (const { durationClass, count } of cells) counts[durationClass] = (counts[durationClass] ?? 0) + count;
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = share * total;
  for (const [index, count] of counts.entries()) {
    if (left <= count && count > 0) {
      const low = durationBoundsMs[index - 1] ?? 0;
      const high = durationBoundsMs[index] ?? low;
      return Math.round(low + ((high - low) * left) / count);
    }
    left -= count;
  }
  return durationBoundsMs.at(-1) ?? null;
}
