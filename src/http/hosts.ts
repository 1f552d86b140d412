import { PosthornError } from '../core/errors.ts';
import { httpLimits } from './limits.ts';

/** Throws `host_not_allowed` when the Host header or the Origin header names a host that is not ours. */
export type HostGuard = (request: Request) => void;

const hostHeaderPattern = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i;

/**
 * Keeps pages of other sites from reaching this server through a visitor's browser: by DNS rebinding, which shows in the
 * Host header, or directly, which shows in the Origin header. Ports are ignored.
 *
 * @param allowedHosts names and addresses, with or without a port, IPv6 with or without brackets
 * @param publicUrl its host is allowed too
 * @throws TypeError when an allowed host is not a host
 */
export function makeHostGuard(allowedHosts: readonly string[], publicUrl: string): HostGuard {
  const allowed = new Set([...allowedHosts.map(hostOfEntry), new URL(publicUrl).hostname]);
  const known = new Set<string>();

  function hostAllowed(header: string): boolean {
    if (known.has(header)) return true;
    if (!hostHeaderPattern.test(header)) return false;
    const url = parse(`http://${header}`);
    if (url === null || !allowed.has(url.hostname)) return false;
    if (known.size < httpLimits.knownHostHeadersMax) known.add(header);
    return true;
  }

  function originAllowed(origin: string): boolean {
    const url = parse(origin);
    return url !== null && url.origin !== 'null' && allowed.has(url.hostname);
  }

  return (request) => {
    const host = request.headers.get('host') ?? new URL(request.url).host;
    if (!hostAllowed(host)) throw refusal('The Host header does not name this server.');
    const origin = request.headers.get('origin');
    if (origin !== null && !originAllowed(origin)) throw refusal('Pages of this origin may not call this server.');
  };
}

function hostOfEntry(entry: string): string {
  const isBareIpv6 = entry.split(':').length > 2 && !entry.startsWith('[');
  return new URL(`http://${isBareIpv6 ? `[${entry}]` : entry}`).hostname;
}

function parse(url: string): URL | null {
  return URL.parse(url);
}

function refusal(detail: string): PosthornError {
  return new PosthornError('host_not_allowed', detail);
}
