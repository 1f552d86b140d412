import type { Generated as GeneratedColumn } from 'kysely';
import {
  attemptErrors,
  type AttemptError,
  type DeliveryStatus,
  type DisabledReason,
  type EndpointStatus,
} from '../core/vocabulary.ts';
import type { EndpointKind } from '../core/ports/endpoint-store.ts';
import type { Validation } from '../core/ports/schemas.ts';

/** The version of schema.sql and schema.postgres.sql. A database with a higher one is refused. */
export const schemaVersion = 1;

/** `endpoints.status`. Deleted endpoints stay for their log. */
export const endpointStatus = { active: 1, paused: 2, disabled: 3, pending_approval: 4, deleted: 5 } as const;
export const endpointKind: Record<EndpointKind, number> = { subscription: 1, config: 2 };
export const disabledReason: Record<DisabledReason, number> = { repeated_failures: 1, gone: 2 };
/** `deliveries.state`. To the outside, leased is pending. */
export const deliveryState = { pending: 1, leased: 2, succeeded: 3, failed: 4, canceled: 5 } as const;

export function endpointStatusOf(code: number): EndpointStatus {
  return nameOf(endpointStatus, code) as EndpointStatus;
}
export function disabledReasonOf(code: number | null): DisabledReason | null {
  return code === null ? null : nameOf(disabledReason, code);
}
export function deliveryStatusOf(state: number): DeliveryStatus {
  const name = nameOf(deliveryState, state);
  return name === 'leased' ? 'pending' : name;
}
/** `attempts.error` counts from 1 in the order of `attemptErrors`, which therefore only ever grows at its end. */
export function errorCode(error: AttemptError | null): number | null {
  return error === null ? null : attemptErrors.indexOf(error) + 1;
}
export function errorOf(code: number | null): AttemptError | null {
  return code === null ? null : (attemptErrors[code - 1] ?? 'invalid_response');
}

function nameOf<K extends string>(codes: Record<K, number>, code: number): K {
  for (const name in codes) if (codes[name] === code) return name;
  throw new Error(`the database holds the code ${code}, which is none of ${Object.keys(codes).join(', ')}`);
}

/** The tables as kysely sees them. Booleans are 0 and 1 on both engines. */
export interface Tables {
  meta: { name: string; value: Buffer };
  workspaces: {
    id: Generated;
    public_id: string;
    name: string;
    version: number;
    audit_count: number;
    audit_hash: Buffer;
    created_at: number;
  };
  audit: {
    workspace_id: number;
    seq: number;
    at: number;
    action: string;
    target: string;
    principal_kind: string;
    principal_key_id: string | null;
    principal_name: string;
    face: string;
    client: string | null;
    before: string | null;
    after: string | null;
    hash: Buffer;
  };
  keys: {
    id: Generated;
    public_id: string;
    workspace_id: number;
    name: string;
    hash: Buffer;
    last4: string;
    scopes: string;
    created_by_key_id: number | null;
    created_at: number;
    expires_at: number | null;
    last_used_at: number | null;
    revoked_at: number | null;
  };
  event_types: {
    id: Generated;
    workspace_id: number;
    name: string;
    description: string;
    schema: string | null;
    example: string;
    validation: Validation;
    created_at: number;
    updated_at: number;
  };
  type_names: { id: Generated; name: string };
  endpoints: EndpointTable;
  endpoint_urls: { endpoint_id: number; version: number; url: string; was_active: number };
  endpoint_secrets: {
    id: Generated;
    endpoint_id: number;
    sealed: Buffer;
    valid_until: number | null;
    created_at: number;
  };
  automations: {
    id: Generated;
    public_id: string;
    workspace_id: number;
    name: string;
    trigger_event: string;
    conditions: string | null;
    enabled: number;
    fired_count: number;
    last_fired_at: number | null;
    error_count: number;
    last_error: string | null;
    last_error_at: number | null;
    created_by_key_id: number | null;
    created_at: number;
    updated_at: number;
  };
  automation_actions: { automation_id: number; position: number; endpoint_id: number };
  idempotency_keys: {
    workspace_id: number;
    principal: string;
    key: string;
    request_hash: Buffer;
    answer: Buffer;
    created_at: number;
  };
  events: {
    id: Generated;
    workspace_id: number;
    public_id: string;
    type_id: number;
    data: string | null;
    occurred_at: number;
    created_at: number;
    deliveries_count: number;
    fanned_out_after: number | null;
    is_test: number;
  };
  deliveries: {
    id: Generated;
    workspace_id: number;
    event_id: number;
    endpoint_id: number;
    state: number;
    due_at: number;
    attempts: number;
    steps: number;
    interruptions: number;
    last_error: number | null;
    worker_id: number | null;
    ordering_key: string | null;
    created_at: number;
  };
  attempts: {
    id: Generated;
    workspace_id: number;
    endpoint_id: number;
    delivery_id: number;
    type_id: number;
    attempt: number;
    endpoint_version: number;
    error: number | null;
    response_code: number | null;
    duration_ms: number;
    started_at: number;
    next_attempt_at: number | null;
    is_test: number;
  };
  attempt_excerpts: { attempt_id: number; body: Buffer };
  statistics: { workspace_id: number; bucket_at: number; outcome: number; duration_class: number; count: number };
  statistics_position: { id: number; attempt_id: number; upcoming_id: number; upcoming_xid: string | null };
  workers: { id: Generated; name: string; beat_at: number; started_at: number };
}

/** An integer key that the database gives. */
type Generated = GeneratedColumn<number>;

export interface EndpointTable {
  id: Generated;
  public_id: string;
  workspace_id: number;
  kind: number;
  name: string | null;
  url: string;
  events: string;
  description: string | null;
  filter: string | null;
  filter_error_count: number;
  last_filter_error: string | null;
  last_filter_error_at: number | null;
  include_data: number;
  headers: Buffer | null;
  version: number;
  status: number;
  failure_count: number;
  failing_since: number | null;
  last_delivered_at: number | null;
  last_attempt_at: number | null;
  last_error: number | null;
  last_response_code: number | null;
  held_until: number | null;
  disabled_reason: number | null;
  disabled_at: number | null;
  pending_count: number;
  next_due_at: number | null;
  created_by_key_id: number | null;
  moved_by_key_id: number | null;
  expires_at: number | null;
  dedupe_key: string | null;
  created_at: number;
  updated_at: number;
}
