import { PosthornError } from '../../core/errors.ts';
import { storeError } from '../store-error.ts';

const example = 'DATABASE_URL=postgres://USER:PASSWORD@HOST:5432/DATABASE';

/** A URL that is none. It is not repeated: it may hold a password. */
export function malformed(): PosthornError {
  return misconfigured(`is no URL of a PostgreSQL database: write it as ${example}`);
}

/** What keeps a start from using the server, in one line for whoever runs it; without the URL, which holds a password. */
export function startError(url: string, error: unknown): Error {
  if (error instanceof PosthornError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  // What the server says of a wrong password, user or database is what the operator has to read.
  if (typeof code === 'string' && /^(28...|3D000|42501)$/.test(code))
    return misconfigured(`names ${placeOf(url)}. PostgreSQL says: ${String(message)}. Correct it: ${example}`);
  if (code === '42P07' || code === '42703')
    return misconfigured(
      `names ${placeOf(url)}, which holds the tables of another program (${String(message)}): give Posthorn a database of its own, for example ${example}`,
    );
  const known = storeError(error);
  if (!(known instanceof PosthornError)) return known;
  const reason = known.cause instanceof Error ? known.cause.message : known.message;
  const text = `names ${placeOf(url)}, which does not answer (${reason}): start that server, or correct host and port, ${example}`;
  return new PosthornError(known.code, `DATABASE_URL ${text}`, { retryAfterSeconds: 1 });
}

/** Where the URL leads, without user, password and parameters. */
function placeOf(url: string): string {
  const { host, pathname, searchParams } = new URL(url);
  return `PostgreSQL at ${searchParams.get('host') ?? (host || 'localhost')}${pathname}`;
}

function misconfigured(fault: string): PosthornError {
  return new PosthornError('misconfigured', `DATABASE_URL ${fault}`);
}
