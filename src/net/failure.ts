import { errors } from 'undici';
import type { AttemptError } from '../core/vocabulary.ts';

/** An attempt's end that we know the reason of, because we brought it about. */
export class SendFailure extends Error {
  readonly reason: AttemptError;

  constructor(reason: AttemptError, cause?: unknown) {
    super(reason, { cause });
    this.name = 'SendFailure';
    this.reason = reason;
  }
}

/** Codes of Node (errno) and undici; families of codes are below. */
const reasons: Record<string, AttemptError> = {
  ECONNREFUSED: 'connect_refused',
  EHOSTUNREACH: 'connect_refused',
  EHOSTDOWN: 'connect_refused',
  ENETUNREACH: 'connect_refused',
  ENETDOWN: 'connect_refused',
  EADDRNOTAVAIL: 'connect_refused',
  EACCES: 'connect_refused',
  EPERM: 'connect_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  UND_ERR_SOCKET: 'connection_reset',
  ETIMEDOUT: 'timeout',
  EPROTO: 'tls_failed',
  UND_ERR_HEADERS_OVERFLOW: 'invalid_response',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'invalid_response',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'response_too_large',
  UND_ERR_CLOSED: 'interrupted',
  UND_ERR_DESTROYED: 'interrupted',
};

/** The fixed code for whatever ended an attempt. Never looks at a receiver's words. */
export function attemptErrorOf(error: unknown): AttemptError {
  if (error instanceof SendFailure) return error.reason;
  if (error instanceof errors.HTTPParserError) return 'invalid_response';
  const code = codeOf(error);
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return 'tls_failed';
  return reasons[code] ?? 'connection_reset';
}

/**
 * True for what undici does with a status 100, or with a 101 that upgrades: it ends the exchange without telling the
 * handler of it. The two share their code with a closed connection and differ by message only; a test pins both.
 */
export function isRefusedInformational(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return codeOf(error) === 'UND_ERR_SOCKET' && (message === 'bad response' || message === 'bad upgrade');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
