const hourMs = 3_600_000;

/** A receiver may ask for no longer than this: a delivery that waits for days looks lost. */
export const retryAfterMsMax = 24 * hourMs;
/** One answer may hold the whole endpoint back for no longer than this. */
export const holdMsMax = hourMs;
/** A delivery that took a worker down with it this often is given up. */
export const interruptionsMax = 10;

export interface RetryInput {
  /** Attempts of this schedule so far, the one that just failed among them; interrupted ones apart. */
  steps: number;
  /** Waits before the 2nd, 3rd … attempt, in milliseconds. */
  scheduleMs: readonly number[];
  now: number;
  /** Uniform in [0, 1). */
  random: number;
  responseCode: number | null;
  retryAfter: string | null;
}

/** When the delivery is due again, or null when it has failed for good. Jitter is ±20 %. */
export function retryAt(input: RetryInput): number | null {
  const waitMs = input.scheduleMs[input.steps - 1];
  if (waitMs === undefined || input.responseCode === 413) return null;
  const jittered = waitMs * (0.8 + 0.4 * input.random);
  const asked = askedWaitMs(input.responseCode, input.retryAfter, input.now) ?? 0;
  return input.now + Math.round(Math.max(jittered, Math.min(asked, retryAfterMsMax)));
}

/** Until when the whole endpoint is held back, or null. */
export function holdUntil(responseCode: number | null, retryAfter: string | null, now: number): number | null {
  const asked = askedWaitMs(responseCode, retryAfter, now);
  return asked === null || asked === 0 ? null : now + Math.min(asked, holdMsMax);
}

/** The wait that a 429 or 503 asks for with Retry-After (RFC 9110, section 10.2.3), in milliseconds; else null. */
function askedWaitMs(responseCode: number | null, retryAfter: string | null, now: number): number | null {
  if ((responseCode !== 429 && responseCode !== 503) || retryAfter === null) return null;
  const text = retryAfter.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  // Only the three forms of an HTTP date: Date.parse alone would take almost anything for a date.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return null;
  // The third form, of asctime, names no zone and means UTC all the same.
  const at = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
