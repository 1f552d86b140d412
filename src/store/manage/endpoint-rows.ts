import { sql } from 'kysely';
import type { EndpointChange, EndpointRecord, NewEndpoint } from '../../core/ports/endpoint-store.ts';
import { activated } from '../../core/rules/health.ts';
import { healthColumns, healthOf } from '../health-columns.ts';
import { endpointKind, endpointStatus, type EndpointTable } from '../tables.ts';

/** A row of `endpoints` with what is counted of its deliveries. */
type EndpointRow = Omit<EndpointTable, 'id'> & { id: number; next_attempt_at: number | null };

const noFilterErrors = { filter_error_count: 0, last_filter_error: null, last_filter_error_at: null };

/** Whether an endpoint of this status may receive where it is, which makes its host known. */
export function wasActive(status: number): number {
  return status === endpointStatus.pending_approval ? 0 : 1;
}

export function isAsSeen(row: Omit<EndpointTable, 'id'>, seen: EndpointChange['seen']): boolean {
  if (seen === undefined) return true;
  return row.version === seen.version && (row.status === endpointStatus.pending_approval) === seen.pending;
}

/** The version that a change leads to: it rises when what is sent, or where to, is no longer the same. */
export function versionAfter(row: Omit<EndpointTable, 'id'>, change: EndpointChange): number {
  const { url = row.url, includeData = row.include_data === 1, sealedHeaders } = change;
  const same = url === row.url && includeData === (row.include_data === 1) && sealedHeaders === undefined;
  return same ? row.version : row.version + 1;
}

/** `now` as `updated_at`, never earlier than it was, whatever a late or wrong clock says: matching relies on it (`matchable.ts`). */
export const updatedAt = (now: number) =>
  sql<number>`case when updated_at > ${now} then updated_at else cast(${now} as bigint) end`;

export function changedColumns(row: Omit<EndpointTable, 'id'>, change: EndpointChange, version: number) {
  const { name, url, events, description, filter, includeData, sealedHeaders, status, movedByKeyId, now } = change;
  const health = status === 'active' ? healthColumns(activated(healthOf(row))) : {};
  return {
    ...health,
    version,
    ...(name === undefined ? {} : { name }),
    ...(url === undefined ? {} : { url }),
    ...(events === undefined ? {} : { events: JSON.stringify(events) }),
    ...(description === undefined ? {} : { description }),
    ...(filter === undefined ? {} : { filter, ...noFilterErrors }),
    ...(includeData === undefined ? {} : { include_data: includeData ? 1 : 0 }),
    ...(sealedHeaders === undefined ? {} : { headers: sealedHeaders }),
    ...(movedByKeyId === undefined ? {} : { moved_by_key_id: movedByKeyId }),
    ...(status === undefined ? {} : { status: endpointStatus[status] }),
    // What waited while it was not active is looked at now.
    ...(status === 'active' ? { next_due_at: row.pending_count > 0 ? now : null } : {}),
    updated_at: updatedAt(now),
  };
}

export function endpointRow(endpoint: NewEndpoint) {
  return {
    public_id: endpoint.publicId,
    workspace_id: endpoint.workspaceId,
    kind: endpointKind[endpoint.kind],
    name: endpoint.name,
    url: endpoint.url,
    events: JSON.stringify(endpoint.events),
    description: endpoint.description,
    filter: endpoint.filter,
    ...noFilterErrors,
    include_data: endpoint.includeData ? 1 : 0,
    headers: endpoint.sealedHeaders,
    version: 1,
    status: endpointStatus[endpoint.status],
    failure_count: 0,
    pending_count: 0,
    created_by_key_id: endpoint.createdByKeyId,
    created_at: endpoint.now,
    updated_at: endpoint.now,
  };
}

export function endpointRecord(row: EndpointRow): EndpointRecord {
  return {
    ...healthOf(row),
    id: row.id,
    publicId: row.public_id,
    workspaceId: row.workspace_id,
    kind: row.kind === endpointKind.config ? 'config' : 'subscription',
    name: row.name,
    url: row.url,
    events: JSON.parse(row.events) as string[],
    description: row.description,
    filter: row.filter,
    filterErrors: { count: row.filter_error_count, last: row.last_filter_error, lastAt: row.last_filter_error_at },
    includeData: row.include_data === 1,
    // From the writer's thread it comes as a mere Uint8Array.
    sealedHeaders: row.headers === null ? null : Buffer.from(row.headers),
    version: row.version,
    pendingCount: row.pending_count,
    nextAttemptAt: row.next_attempt_at,
    createdByKeyId: row.created_by_key_id,
    movedByKeyId: row.moved_by_key_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
