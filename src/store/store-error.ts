import { PosthornError } from '../core/errors.ts';

/** SQLite's and PostgreSQL's codes for "not now": the disk is full, the file locked, the server away or overloaded. */
const unavailable = [
  /^SQLITE_(BUSY|LOCKED|FULL|IOERR|CANTOPEN|READONLY|NOMEM|PROTOCOL)/,
  /^(08|40|53|55P03|57|58)/,
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/,
];

/** What a face may see of a failure of the database: `store_unavailable`, or the error itself when it is a bug. */
export function storeError(error: unknown): Error {
  if (error instanceof PosthornError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : String(error);
  if (typeof code === 'string' && unavailable.some((pattern) => pattern.test(code))) {
    return new PosthornError('store_unavailable', 'The database did not take the request; nothing was stored.', {
      retryAfterSeconds: 1,
      cause: new Error(`${code}: ${text}`),
    });
  }
  return error instanceof Error ? error : new Error(`${typeof code === 'string' ? `${code}: ` : ''}${text}`);
}
