import type { EndpointRecord } from '../../core/ports/endpoint-store.ts';
import { auditedEndpoint } from '../../core/rules/audited.ts';
import type { Changed } from '../access.ts';

export function unchanged<T>(answer: T): Changed<T> {
  return { answer, audit: null };
}

/** What the audit log keeps of a change to an endpoint; null: there was nothing to change. */
export function changedTo<T extends EndpointRecord | null>(
  answer: T,
  before: EndpointRecord | null = null,
): Changed<T> {
  if (answer === null) return unchanged(answer);
  const facts = { before: before === null ? null : auditedEndpoint(before), after: auditedEndpoint(answer) };
  return { answer, audit: { workspaceId: answer.workspaceId, target: answer.publicId, ...facts } };
}
