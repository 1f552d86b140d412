import type { ChainedRecord } from '../ports/audit-store.ts';
import type { AutomationRecord } from '../ports/automation-store.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
import type { KeyRecord } from '../ports/key-store.ts';
import type { AttemptRecord, DeliveryRecord, EventRecord } from '../ports/record-store.ts';
import type { ApiKey, Attempt, AuditRow, Automation, Delivery, Event, Subscription, WebhookConfig } from '../types.ts';
import { diagnose, errorMessage, type Surroundings } from './diagnose.ts';
import { rowId } from './ids.ts';
import { iso } from './times.ts';
import { plainText } from './untrusted.ts';

/** Records as they are shown. Nothing that must not be shown is in what these return. */

export function showSubscription(record: EndpointRecord, around: Surroundings): Subscription {
  return {
    id: record.publicId,
    url: record.url,
    events: record.events,
    description: record.description,
    filter: record.filter,
    ...health(record, around),
  };
}

/** `headers`: their names with masks. */
export function showConfig(
  record: EndpointRecord,
  around: Surroundings,
  headers: Record<string, string>,
): WebhookConfig {
  return {
    id: record.publicId,
    name: record.name ?? '',
    url: record.url,
    headers,
    trigger_events: record.events,
    include_trigger_data: record.includeData,
    ...health(record, around),
  };
}

function health(record: EndpointRecord, around: Surroundings) {
  return {
    status: record.status,
    failure_count: record.failureCount,
    last_delivered_at: iso(record.lastDeliveredAt),
    last_attempt_at: iso(record.lastAttemptAt),
    last_error: record.lastError,
    last_response_code: record.lastResponseCode,
    failing_since: iso(record.failingSince),
    pending_count: record.pendingCount,
    next_attempt_at: iso(nextAttemptAt(record)),
    held_until: iso(record.heldUntil !== null && record.heldUntil > around.now ? record.heldUntil : null),
    disabled_reason: record.disabledReason,
    disabled_at: iso(record.disabledAt),
    diagnosis: diagnose(record, around),
    created_at: iso(record.createdAt),
    updated_at: iso(record.updatedAt),
  };
}

export function showAutomation(record: AutomationRecord): Automation {
  const { runs } = record;
  return {
    id: record.publicId,
    name: record.name,
    trigger_event: record.triggerEvent,
    conditions: record.conditions,
    actions: record.configIds.map((id) => ({ type: 'webhook' as const, config_id: id })),
    enabled: record.enabled,
    fired_count: runs.firedCount,
    last_fired_at: iso(runs.lastFiredAt),
    error_count: runs.errorCount,
    last_error: runs.lastError,
    last_error_at: iso(runs.lastErrorAt),
    created_at: iso(record.createdAt),
    updated_at: iso(record.updatedAt),
  };
}

/** Nothing is due of an endpoint that gets nothing, and what is held waits for the hold. */
function nextAttemptAt({ status, nextAttemptAt: at, heldUntil }: EndpointRecord): number | null {
  return status !== 'active' || at === null ? null : Math.max(at, heldUntil ?? 0);
}

/** `withResponse`: also the start of the receiver's body, cleaned; whoever asks for it must hold payloads:read. */
export function showAttempt(record: AttemptRecord, withResponse: boolean): Attempt {
  return {
    id: rowId('att', record.id),
    delivery_id: rowId('dlv', record.deliveryId),
    event_id: record.eventPublicId,
    event_type: record.eventType,
    endpoint_id: record.endpointPublicId,
    url: record.url,
    attempt: record.attempt,
    status: record.error === null ? 'succeeded' : 'failed',
    response_code: record.responseCode,
    duration_ms: record.durationMs,
    error: record.error,
    error_message: errorMessage(record.error, record.responseCode),
    is_test: record.isTest,
    created_at: iso(record.startedAt),
    next_attempt_at: iso(record.nextAttemptAt),
    ...(withResponse ? { untrusted_response: record.excerpt === null ? null : plainText(record.excerpt) } : {}),
  };
}

export function showDelivery(record: DeliveryRecord): Delivery {
  return {
    id: rowId('dlv', record.id),
    event_id: record.eventPublicId,
    event_type: record.eventType,
    endpoint_id: record.endpointPublicId,
    status: record.status,
    attempts: record.attempts,
    next_attempt_at: iso(record.dueAt),
    last_error: record.lastError,
    created_at: iso(record.createdAt),
  };
}

/** `withData`: whoever asks for it must hold payloads:read. */
export function showEvent(record: EventRecord, withData: boolean): Event {
  return {
    id: record.publicId,
    type: record.type,
    occurred_at: iso(record.occurredAt),
    created_at: iso(record.createdAt),
    deliveries_count: record.deliveriesCount,
    ...(withData ? { data: record.data === null ? null : (JSON.parse(record.data) as Event['data']) } : {}),
  };
}

export function showKey(record: KeyRecord): ApiKey {
  return {
    id: record.publicId,
    name: record.name,
    scopes: record.scopes,
    last4: record.last4,
    created_at: iso(record.createdAt),
    expires_at: iso(record.expiresAt),
    last_used_at: iso(record.lastUsedAt),
    revoked_at: iso(record.revokedAt),
  };
}

export function showAudit(record: ChainedRecord): AuditRow {
  return {
    seq: record.seq,
    created_at: iso(record.at),
    action: record.action,
    target_id: record.target,
    principal: { kind: record.principalKind, key_id: record.principalKeyId, name: record.principalName },
    face: record.face,
    client: record.client,
    before: auditFacts(record.before),
    after: auditFacts(record.after),
    hash: record.hash.toString('hex'),
  };
}

/** What somebody wrote there past us stays readable: the rows around it must not be hidden by it. */
function auditFacts(text: string | null): AuditRow['after'] {
  try {
    return text === null ? null : (JSON.parse(text) as AuditRow['after']);
  } catch {
    return text;
  }
}
