import type { AttemptError } from '../vocabulary.ts';

/** How fast one endpoint may be sent to. A new endpoint, and one without a recorded failure, starts wide open. */
export interface Pace {
  /** Attempts that may be in flight at once. */
  window: number;
  /** Failures that tell of overload or absence, since the last answer that does not. */
  failures: number;
  /** When it answered again after it had been down, epoch milliseconds. */
  backSince: number | null;
}

/** So many failures in a row, with the window narrowed to one, and the endpoint counts as down. */
export const downAfterFailures = 8;
/** An endpoint that is down is asked four times a second at most, whatever it owes. */
export const probeEveryMs = 250;
/** One that came back gets this many a second for ten seconds, then twice as many every ten seconds. */
export const rampPerSecond = 80;
export const rampStepMs = 10_000;
/** After ten doublings no endpoint needs protection from its own backlog. */
const rampMs = 10 * rampStepMs;

export function openPace(windowMax: number): Pace {
  return { window: windowMax, failures: 0, backSince: null };
}

/** What an endpoint starts with that is known to fail: one attempt at a time, as if it had just been found down. */
export function failingPace(): Pace {
  return { window: 1, failures: downAfterFailures, backSince: null };
}

/** As TCP does: half on every sign of overload or absence, one more with every answer. */
export function afterAnswer(pace: Pace, windowMax: number, outcome: PaceOutcome, now: number): Pace {
  if (isOverload(outcome)) {
    // The ramp goes on, neither lifted nor set back: an endpoint that fails once in a hundred would never leave it. The
    // window is what answers to failures.
    const window = Math.max(1, Math.floor(pace.window / 2));
    return { window, failures: pace.failures + 1, backSince: rampStart(pace.backSince, now) };
  }
  const backSince = rampStart(isDown(pace) ? now : pace.backSince, now);
  return { window: Math.min(windowMax, pace.window + 1), failures: 0, backSince };
}

/** Null once the ramp is over. It begins anew when the clock was set back: how far it had come is not known. */
function rampStart(backSince: number | null, now: number): number | null {
  return backSince === null || now - backSince >= rampMs ? null : Math.min(backSince, now);
}

export interface PaceOutcome {
  error: AttemptError | null;
  responseCode: number | null;
}

export function isDown(pace: Pace): boolean {
  return pace.window === 1 && pace.failures >= downAfterFailures;
}

/** How many attempts may begin in a second; null: as many as the window lets. */
export function startsPerSecond(pace: Pace, now: number): number | null {
  if (isDown(pace)) return 1_000 / probeEveryMs;
  if (pace.backSince === null) return null;
  const sinceMs = Math.max(0, now - pace.backSince);
  return sinceMs >= rampMs ? null : rampPerSecond * 2 ** Math.floor(sinceMs / rampStepMs);
}

/** A receiver that says "wrong" is well; one that says nothing, or that it cannot, is not. */
function isOverload({ error, responseCode }: PaceOutcome): boolean {
  switch (error) {
    case 'timeout':
    case 'connect_refused':
    case 'connection_reset':
    case 'dns_failed':
    case 'tls_failed':
    case 'http_5xx':
      return true;
    default:
      return responseCode === 429;
  }
}
