import type { EndpointHealth } from '../core/ports/endpoint-store.ts';
import {
  disabledReason,
  disabledReasonOf,
  type EndpointTable,
  endpointStatus,
  endpointStatusOf,
  errorCode,
  errorOf,
} from './tables.ts';

/** The columns of `endpoints` that hold its health. */
export type HealthColumns = Pick<
  EndpointTable,
  | 'status'
  | 'failure_count'
  | 'failing_since'
  | 'last_delivered_at'
  | 'last_attempt_at'
  | 'last_error'
  | 'last_response_code'
  | 'held_until'
  | 'disabled_reason'
  | 'disabled_at'
>;

export function healthOf(row: HealthColumns): EndpointHealth {
  return {
    status: endpointStatusOf(row.status),
    failureCount: row.failure_count,
    failingSince: row.failing_since,
    lastDeliveredAt: row.last_delivered_at,
    lastAttemptAt: row.last_attempt_at,
    lastError: errorOf(row.last_error),
    lastResponseCode: row.last_response_code,
    heldUntil: row.held_until,
    disabledReason: disabledReasonOf(row.disabled_reason),
    disabledAt: row.disabled_at,
  };
}

export function healthColumns(health: EndpointHealth): HealthColumns {
  return {
    status: endpointStatus[health.status],
    failure_count: health.failureCount,
    failing_since: health.failingSince,
    last_delivered_at: health.lastDeliveredAt,
    last_attempt_at: health.lastAttemptAt,
    last_error: errorCode(health.lastError),
    last_response_code: health.lastResponseCode,
    held_until: health.heldUntil,
    disabled_reason: health.disabledReason === null ? null : disabledReason[health.disabledReason],
    disabled_at: health.disabledAt,
  };
}
