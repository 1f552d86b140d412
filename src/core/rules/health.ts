import type { EndpointHealth } from '../ports/endpoint-store.ts';
import type { HealthChange } from '../ports/journey-store.ts';

export interface HealthLimits {
  /** Disable when both are reached without a success between. */
  disableAfterFailures: number;
  disableAfterMs: number;
}

/** The endpoint's health after one more attempt. Tests and interrupted attempts never come here. */
export function afterAttempt(health: EndpointHealth, change: HealthChange, limits: HealthLimits): EndpointHealth {
  const seen = { ...health, lastAttemptAt: change.at, lastResponseCode: change.responseCode };
  if (change.succeeded) {
    return { ...seen, lastDeliveredAt: change.at, lastError: null, failureCount: 0, failingSince: null };
  }
  const failed = {
    ...seen,
    lastError: change.error,
    failureCount: health.failureCount + 1,
    failingSince: health.failingSince ?? change.at,
    heldUntil: laterOf(health.heldUntil, change.holdUntil),
  };
  // Not even a 410 may take it out of waiting: what is disabled can be made active by whoever may not approve.
  if (health.status === 'disabled' || health.status === 'pending_approval') return failed;
  if (change.responseCode === 410)
    return { ...failed, status: 'disabled', disabledReason: 'gone', disabledAt: change.at };
  if (health.status !== 'active') return failed;
  const worn =
    failed.failureCount >= limits.disableAfterFailures && change.at - failed.failingSince >= limits.disableAfterMs;
  return worn ? { ...failed, status: 'disabled', disabledReason: 'repeated_failures', disabledAt: change.at } : failed;
}

/** What being made active again forgets. */
export function activated(health: EndpointHealth): EndpointHealth {
  return {
    ...health,
    status: 'active',
    failureCount: 0,
    failingSince: null,
    heldUntil: null,
    disabledReason: null,
    disabledAt: null,
  };
}

function laterOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
