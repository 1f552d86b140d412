import { PosthornError } from '../errors.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
import { headerFaults, type Headers, maskedValue, openHeaders, sealHeaders } from '../rules/headers.ts';
import type { Vault } from '../rules/seal.ts';
import type { Context } from '../use-case.ts';

/** Their names as they were given, each with a mask for its value. */
export function maskedHeaders(vault: Vault, { publicId, sealedHeaders }: EndpointRecord): Headers {
  const names = Object.keys(openHeaders(vault, publicId, sealedHeaders));
  return Object.fromEntries(names.map((name) => [name, maskedValue]));
}

/** Throws `validation_failed` with the path of each header that may not be sent. */
export function checkedHeaders(context: Context, publicId: string, headers: Headers): Buffer | null {
  const errors = headerFaults(headers, context.settings.brand).map(({ path, message }) => ({
    path: `/headers${path}`,
    message,
  }));
  const [first] = errors;
  if (first !== undefined) {
    throw new PosthornError('validation_failed', `${first.path}: ${first.message}.`, { errors });
  }
  return sealHeaders(context.vault, publicId, headers);
}

/**
 * The headers after a change: those that were given, where a mask keeps the stored value of that name. Undefined: they stay.
 * Values do not follow the URL to another host unless they are given again. Otherwise whoever may change a config could
 * read its headers at a server of his own.
 */
export function changedHeaders(
  context: Context,
  record: EndpointRecord,
  given: Headers | undefined,
  url: string | undefined,
): Buffer | null | undefined {
  const stored = openHeaders(context.vault, record.publicId, record.sealedHeaders);
  const moves = url !== undefined && hostOf(url) !== hostOf(record.url);
  if (given === undefined) {
    if (moves && Object.keys(stored).length > 0) throw mustGiveAgain();
    return undefined;
  }
  const values = new Map(Object.entries(stored).map(([name, value]) => [name.toLowerCase(), value]));
  const whole = Object.entries(given).map(([name, value]) => {
    const kept = value === maskedValue ? values.get(name.toLowerCase()) : undefined;
    if (kept !== undefined && moves) throw mustGiveAgain();
    return [name, kept ?? value];
  });
  return checkedHeaders(context, record.publicId, Object.fromEntries(whole));
}

/** Without the port: another port is the same machine. What is no URL is refused elsewhere. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url;
}

function mustGiveAgain(): PosthornError {
  const message = 'the URL moves to another host: send every header with its value again, or {} to drop them';
  return new PosthornError('validation_failed', `headers: ${message}.`, { errors: [{ path: '/headers', message }] });
}
