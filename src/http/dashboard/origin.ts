import { PosthornError } from '../../core/errors.ts';

/**
 * Throws `host_not_allowed` unless the browser says that one of our own pages sent the form. Fetch metadata say it where the
 * page came encrypted or from this machine; elsewhere browsers send the Origin alone.
 */
export function requireSameOrigin(headers: Headers): void {
  const site = headers.get('sec-fetch-site');
  if (site === null ? isOwnOrigin(headers) : site === 'same-origin') return;
  throw new PosthornError('host_not_allowed', 'This form was sent from another site, so nothing was done.');
}

function isOwnOrigin(headers: Headers): boolean {
  const origin = URL.parse(headers.get('origin') ?? '');
  return origin !== null && origin.host === (headers.get('host') ?? '');
}
