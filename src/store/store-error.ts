import { PosthornError } from '../core/errors.ts';

/** SQLite's, PostgreSQL's and the network's codes for "not now". */
const unavailableCodes = [
  /^SQLITE_(BUSY|LOCKED|FULL|IOERR|CANTOPEN|READONLY|NOMEM|PROTOCOL)/,
  // SQLSTATE: connection lost, transaction undone for another one, disk or memory full, lock not had, server stopped or
  // restarted, statement or transaction took too long, I/O error, a standby that does not take writes.
  /^(08...|40...|53...|55P03|57...|58...|25P03|25P04|25006)$/,
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH)$/,
];
/** What pg says without a code. */
const unavailableMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after calling end)/;

/** What a face may see of a failure of the database: `store_unavailable`, or the error itself when it is a bug. */
export function storeError(error: unknown): Error {
  if (error instanceof PosthornError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : String(error);
  const known =
    typeof code === 'string' ? unavailableCodes.some((one) => one.test(code)) : unavailableMessages.test(text);
  if (known) {
    return new PosthornError('store_unavailable', 'The database did not take the request; nothing was stored.', {
      retryAfterSeconds: 1,
      cause: new Error(typeof code === 'string' ? `${code}: ${text}` : text),
    });
  }
  // The writer's thread hands over an error as its code and its words.
  if (code === 'misconfigured') return new PosthornError('misconfigured', text);
  // PostgreSQL holds every character in a text but one.
  if (code === '22021') return new PosthornError('validation_failed', 'Text may not hold the character U+0000.');
  return error instanceof Error ? error : new Error(`${typeof code === 'string' ? `${code}: ` : ''}${text}`);
}
