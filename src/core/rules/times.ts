/** Epoch milliseconds as they are shown: ISO 8601 in UTC. */
export function iso(at: number): string;
export function iso(at: number | null): string | null;
export function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90d` in milliseconds; null when it is not a number with ms, s, m, h or d. */
export function durationMs(text: string): number | null {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (match === null) return null;
  const ms = Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
  return Number.isSafeInteger(ms) ? ms : null;
}

/** Milliseconds in the largest unit that shows them whole. */
export function formatDuration(ms: number): string {
  const unit = (['d', 'h', 'm', 's'] as const).find((name) => ms > 0 && ms % unitMs[name] === 0);
  return unit === undefined ? (ms === 0 ? '0s' : `${ms}ms`) : `${ms / unitMs[unit]}${unit}`;
}
