import { randomUUID } from 'node:crypto';
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from '@modelcontextprotocol/server';
import { type ErrorCode, errorTable, PosthornError } from '../core/errors.ts';
import type { Log } from '../core/ports/ports.ts';

/** An error as a model reads it: the stable code first, what was wrong, what to do next. */
export interface Explained {
  code: ErrorCode;
  text: string;
}

/** What the table's advice, written for HTTP as well, leaves open to somebody who only has tools. */
const alsoHere: Partial<Record<ErrorCode, string>> = {
  unauthorized: 'A stdio process takes its key from POSTHORN_API_KEY.',
  unknown_event_type: 'list_event_types shows every name.',
};

/**
 * Turns whatever a handler threw into words for a model. Only PosthornError speaks for itself: any other message may
 * hold a path, a query or a secret, so it goes to the log, and the model gets the request id to look for.
 */
export function explain(error: unknown, log: Log): Explained {
  if (!(error instanceof PosthornError) || error.code === 'internal') return explainFault(error, log);
  const { advice } = errorTable[error.code];
  const wait = error.retryAfterSeconds === null ? undefined : `Retry after ${error.retryAfterSeconds} seconds.`;
  const parts = [`${error.code}: ${error.message}`, ...fieldLines(error), advice, alsoHere[error.code], wait];
  return { code: error.code, text: parts.filter((part) => part !== undefined).join('\n') };
}

/** The same as a protocol error: resources, prompts and completions have no error results. */
export function protocolError(error: unknown, log: Log, uri?: string): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const { code, text } = explain(error, log);
  if (code === 'not_found' && uri !== undefined) return new ResourceNotFoundError(uri);
  const ours = errorTable[code].status >= 500;
  return new ProtocolError(ours ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams, text, { code });
}

function explainFault(error: unknown, log: Log): Explained {
  const requestId = randomUUID();
  log.error({ request_id: requestId, err: error }, 'an MCP request failed');
  const text = `internal: Posthorn failed, request id ${requestId}.\n${errorTable.internal.advice}`;
  return { code: 'internal', text };
}

/** The detail names the first wrong field already; the list is for when there are more. */
function fieldLines(error: PosthornError): string[] {
  if (error.errors.length < 2) return [];
  return ['errors:', ...error.errors.map(({ path, message }) => `- ${path === '' ? 'the input' : path}: ${message}`)];
}
