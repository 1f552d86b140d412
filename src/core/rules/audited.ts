import { createHash } from 'node:crypto';
import type { AuditFacts, Author } from '../ports/audit-store.ts';
import type { AutomationRecord } from '../ports/automation-store.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
import type { KeyRecord } from '../ports/key-store.ts';
import type { EventTypeRecord } from '../ports/record-store.ts';
import type { AuditAction } from '../vocabulary.ts';
import { iso } from './times.ts';
import { plainLine } from './untrusted.ts';

const nameCharactersMax = 100;
const clientCharactersMax = 200;

/** Who makes a change. What a caller says of itself is cut and cleaned: somebody will read it on a terminal. */
export function authorOf(action: AuditAction, { kind, keyId, name, via }: Author['principal'], now: number): Author {
  const client = plainLine(via.client ?? '', clientCharactersMax) || null;
  const principal = { kind, keyId, name: plainLine(name, nameCharactersMax), via: { face: via.face, client } };
  return { action, principal, now };
}

/**
 * What the audit log keeps of a record, before and after. Each names its fields one by one, so that a secret, a header's
 * value or a payload that is added to a record one day does not come along.
 */

export function auditedEndpoint(record: EndpointRecord): AuditFacts {
  const { name, url, events, description, filter, status } = record;
  const headers = record.sealedHeaders === null ? null : sha256(record.sealedHeaders);
  // Of what is sealed: it tells that headers changed, and nothing of what they hold.
  return { name, url, events, description, filter, include_data: record.includeData, headers_sha256: headers, status };
}

export function auditedAutomation(record: AutomationRecord): AuditFacts {
  const { name, triggerEvent, conditions, configIds, enabled } = record;
  return { name, trigger_event: triggerEvent, conditions, config_ids: configIds, enabled };
}

export function auditedKey(record: KeyRecord): AuditFacts {
  const { name, scopes, expiresAt, revokedAt } = record;
  return { name, scopes, expires_at: iso(expiresAt), revoked_at: iso(revokedAt) };
}

/** Schema and example can be as large as a request and hold somebody's data: their hashes tell whether they changed. */
export function auditedEventType({ description, schema, example, validation }: EventTypeRecord): AuditFacts {
  return {
    description,
    schema_sha256: schema === null ? null : sha256(schema),
    example_sha256: sha256(example),
    validation,
  };
}

function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}
