/**
 * The one table of errors. REST answers, MCP results, the command line and the docs are made from it.
 * `status` is the HTTP status, `title` the problem's title (RFC 9457), `advice` what to do next.
 */
export const errorTable = {
  invalid_json: { status: 400, title: 'The body is not valid JSON', advice: 'Send one JSON value in UTF-8.' },
  unauthorized: {
    status: 401,
    title: 'No valid API key',
    advice: 'Send "Authorization: Bearer <key>" with a key that is neither revoked nor expired.',
  },
  insufficient_scope: {
    status: 403,
    title: 'The key lacks a scope',
    advice: 'Use a key that holds the scope named in the detail.',
  },
  host_not_allowed: {
    status: 403,
    title: 'Host or origin not allowed',
    advice: 'Call the server by one of the names in POSTHORN_ALLOWED_HOSTS.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    advice: 'Check the id: lists show the ids that exist in this workspace.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    advice: 'The Allow header names the methods of this path.',
  },
  event_id_conflict: {
    status: 409,
    title: 'The event id is taken by another event',
    advice: 'Publish a different event under a new id.',
  },
  idempotency_conflict: {
    status: 409,
    title: 'The idempotency key was used for another request',
    advice: 'Use a new idempotency key for a different request.',
  },
  pending_approval: {
    status: 409,
    title: 'The endpoint waits for approval',
    advice: 'Someone with webhooks:approve has to approve it first.',
  },
  not_active: {
    status: 409,
    title: 'The endpoint is not active',
    advice: 'Set its status to active first; while it is not, nothing is sent.',
  },
  not_retryable: {
    status: 409,
    title: 'The delivery cannot be retried',
    advice: 'Read the detail; publish the event again under a new id if it must be sent.',
  },
  approval_denied: {
    status: 403,
    title: 'This key may not approve the endpoint',
    advice: 'Ask someone whose key neither created the endpoint nor was made by the key that did.',
  },
  config_in_use: {
    status: 409,
    title: 'Automations use the config',
    advice: 'Change or delete the automations that the detail names first.',
  },
  built_in: {
    status: 409,
    title: 'A built-in event type cannot be deleted',
    advice: 'PUT the same name to change its description, schema or example.',
  },
  payload_too_large: {
    status: 413,
    title: 'Too large',
    advice: 'Keep one event within 256 KiB and one request within 5 MiB.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body is not sent as JSON',
    advice: 'Send "Content-Type: application/json".',
  },
  validation_failed: {
    status: 422,
    title: 'The input is not valid',
    advice: 'Correct the fields that `errors` names.',
  },
  unknown_event_type: {
    status: 422,
    title: 'Not an event type of the catalogue',
    advice: 'Use a name that the list of event types shows.',
  },
  invalid_expression: {
    status: 422,
    title: 'The expression is not valid',
    advice: 'Correct the place that the message names; docs/conditions.md describes the language.',
  },
  target_not_allowed: {
    status: 422,
    title: 'The URL may not be called',
    advice: 'Use a public https:// URL, or ask the operator to list the target in POSTHORN_ALLOW_TARGETS.',
  },
  limit_reached: {
    status: 422,
    title: 'A limit of the workspace is reached',
    advice: 'Delete what is no longer needed.',
  },
  rate_limited: { status: 429, title: 'Too many requests', advice: 'Wait for the seconds that Retry-After names.' },
  internal: { status: 500, title: 'Internal error', advice: 'Look for the request id in the server log.' },
  misconfigured: {
    status: 500,
    title: 'Posthorn is not set up right',
    advice: 'Tell whoever runs Posthorn: it works once they have corrected this and started it again.',
  },
  store_unavailable: {
    status: 503,
    title: 'The database does not answer',
    advice: 'Send the same request again, with the same id; nothing was stored.',
  },
} as const;

export type ErrorCode = keyof typeof errorTable;

/** One wrong field: `path` is a JSON pointer (RFC 6901) into the input, `message` one sentence. */
export interface FieldError {
  path: string;
  message: string;
}

/** The only error that faces show. `detail` is our own sentence: it never holds a secret or a receiver's words. */
export class PosthornError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldError[];
  readonly retryAfterSeconds: number | null;

  constructor(
    code: ErrorCode,
    detail: string,
    more: { errors?: FieldError[]; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'PosthornError';
    this.code = code;
    this.errors = more.errors ?? [];
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
  }

  get status(): number {
    return errorTable[this.code].status;
  }
}
