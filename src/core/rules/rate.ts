/** Callers whose rate is kept in memory; past it the oldest is forgotten. */
const callersMax = 10_000;
const minuteMs = 60_000;

/** How many things each caller may still do: a bucket of one minute's worth that fills evenly (RFC 2697's idea). */
export interface RateLimit {
  /** Takes `count` from the caller's bucket: null, or after how many seconds it would be enough. Takes nothing then. */
  take(caller: string, count: number, now: number): number | null;
  /** Gives back what was taken. */
  give(caller: string, count: number): void;
}

export function makeRateLimit(perMinute: number): RateLimit {
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take(caller, count, now) {
      const known = buckets.get(caller);
      const filled =
        known === undefined ? perMinute : known.left + (Math.max(0, now - known.at) * perMinute) / minuteMs;
      const left = Math.min(perMinute, filled);
      // What is more than a whole minute's worth would never pass: it needs a full bucket and empties it.
      const needed = Math.min(count, perMinute);
      if (left < needed) return Math.max(1, Math.ceil(((needed - left) * minuteMs) / perMinute / 1_000));
      buckets.delete(caller);
      if (buckets.size >= callersMax) buckets.delete(buckets.keys().next().value ?? '');
      buckets.set(caller, { left: left - needed, at: now });
      return null;
    },
    give(caller, count) {
      const known = buckets.get(caller);
      if (known !== undefined) known.left = Math.min(perMinute, known.left + count);
    },
  };
}
