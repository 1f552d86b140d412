import type { AttemptFacts, LeasedDelivery, Settlement } from '../ports/journey-store.ts';
import type { SendResult } from '../ports/sender.ts';
import { holdUntil, retryAt } from '../rules/retry.ts';

/** The fourth stage: what an attempt makes of its delivery and means for its endpoint. The store records it. */
export function settlementOf(
  delivery: LeasedDelivery,
  endpointVersion: number,
  eventType: string,
  facts: AttemptFacts & Pick<SendResult, 'retryAfter'>,
  schedule: { scheduleMs: readonly number[]; now: number; random: number },
): Settlement {
  const { responseCode, error, retryAfter, ...rest } = facts;
  const { now } = schedule;
  const dueAt = error === null ? null : retryAt({ ...schedule, steps: delivery.steps + 1, responseCode, retryAfter });
  return {
    deliveryId: delivery.id,
    workspaceId: delivery.workspaceId,
    endpointId: delivery.endpointId,
    endpointVersion,
    eventType,
    attemptNumber: delivery.attempts + 1,
    attempt: { ...rest, responseCode, error },
    next: error === null ? { state: 'succeeded' } : dueAt === null ? { state: 'failed' } : { state: 'pending', dueAt },
    health: {
      succeeded: error === null,
      at: now,
      error,
      responseCode,
      holdUntil: error === null ? null : holdUntil(responseCode, retryAfter, now),
    },
  };
}
