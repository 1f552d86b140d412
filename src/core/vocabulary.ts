/** The closed lists of the contract, apart from the schemas made with them: the writer's thread needs no zod. */

export const scopes = [
  'webhooks:read',
  'webhooks:write',
  'webhooks:delete',
  'events:read',
  'events:write',
  'payloads:read',
  'webhooks:approve',
  'keys:admin',
] as const;
export type Scope = (typeof scopes)[number];

/** What stays with people: an agent must not approve, make keys or read payloads by itself. */
export const peoplesScopes: readonly Scope[] = ['webhooks:approve', 'keys:admin', 'payloads:read'];
export const agentScopes: readonly Scope[] = scopes.filter((scope) => !peoplesScopes.includes(scope));

/** What people and agents change, as the audit log calls it. */
export const auditActions = [
  'workspace.create',
  'subscription.create',
  'subscription.update',
  'subscription.delete',
  'subscription.rotate_secret',
  'subscription.replay',
  'subscription.approve',
  'config.create',
  'config.update',
  'config.delete',
  'config.rotate_secret',
  'config.replay',
  'config.approve',
  'automation.create',
  'automation.update',
  'automation.delete',
  'delivery.retry',
  'event.erase_data',
  'event_type.put',
  'event_type.delete',
  'key.create',
  'key.revoke',
] as const;
export type AuditAction = (typeof auditActions)[number];

/** Where a request comes in. */
export const faces = ['rest', 'mcp', 'cli', 'page'] as const;
export type FaceName = (typeof faces)[number];

export const principalKinds = ['key', 'admin', 'local'] as const;
export type PrincipalKind = (typeof principalKinds)[number];

/** Groups of MCP tools that can be switched. */
export const toolGroups = ['subscriptions', 'events', 'configs', 'automations'] as const;
export type ToolGroup = (typeof toolGroups)[number];

/** Stored by their place in this list, which therefore only ever grows at its end. */
export const attemptErrors = [
  'http_1xx',
  'http_3xx',
  'http_4xx',
  'http_5xx',
  'timeout',
  'connect_refused',
  'connection_reset',
  'dns_failed',
  'tls_failed',
  'target_not_allowed',
  'response_too_large',
  'invalid_response',
  'interrupted',
] as const;
export type AttemptError = (typeof attemptErrors)[number];

export const endpointStatuses = ['active', 'paused', 'disabled', 'pending_approval'] as const;
export type EndpointStatus = (typeof endpointStatuses)[number];

export const deliveryStatuses = ['pending', 'succeeded', 'failed', 'canceled'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export const disabledReasons = ['repeated_failures', 'gone'] as const;
export type DisabledReason = (typeof disabledReasons)[number];
