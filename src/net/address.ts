import { makeAllowlist } from './allowlist.ts';
import { type Address, isLoopback, isMetadata, isPublic, parseAddress } from './ranges.ts';
import { isPublicName, parseName, parseTargetUrl } from './url.ts';

export interface PolicyOptions {
  /** The operator's exceptions: CIDRs, IP addresses, host names (see `parseAllowTargets`). */
  allowTargets: readonly string[];
  /**
   * Where this server is reached, as `host` or `host:port`; asked at every check, since a port can be known late. The
   * name is refused on every port. A target that the operator allows is refused only where the port is given and equal.
   */
  ownHosts: () => readonly string[];
  /** Addresses of this machine's interfaces, asked at every check. */
  ownAddresses: () => readonly string[];
  /** Where this server listens: on this machine's addresses the port is refused, whoever allowed them. 0: nowhere. */
  ownPort?: () => number;
}

/** Which targets may be called. Pure: it resolves nothing and opens nothing. */
export interface Policy {
  /** Everything that a URL alone can tell. A host name that passes still has to resolve to allowed addresses. */
  checkUrl(url: string): UrlVerdict;
  /** Whether `address`, reached for `host` (a name, or the address itself), may be connected to on `port`. */
  addressAllowed(host: string, address: string, port: number): boolean;
}

export type UrlVerdict = AllowedUrl | { allowed: false };
export interface AllowedUrl {
  allowed: true;
  /** Normalised: punycode, no fragment, no trailing dot. */
  url: string;
  /** As it stands in the URL: IPv6 in brackets. */
  host: string;
  /** The same without brackets. */
  hostname: string;
  port: number;
  origin: string;
  /** Path and query. */
  path: string;
  /** True when the host is an IP address, which is then checked already. */
  literal: boolean;
}

/** Throws an Error when an entry of `allowTargets` is none. */
export function makePolicy(options: PolicyOptions): Policy {
  const allowlist = makeAllowlist(options.allowTargets);

  function addressAllowed(host: string, address: string, port: number): boolean {
    const parsed = parseAddress(address);
    if (parsed === null || (port === options.ownPort?.() && (isLoopback(parsed) || isOwn(parsed)))) return false;
    if (allowlist.hasAddress(parsed)) return true;
    if (allowlist.hasName(host)) return !isMetadata(parsed);
    return portAllowed(port) && isPublic(parsed) && !isOwn(parsed);
  }

  function isOwn(address: Address): boolean {
    const text = address.toString();
    return options.ownAddresses().some((own) => parseAddress(own)?.toString() === text);
  }

  function checkUrl(url: string): UrlVerdict {
    const target = parseTargetUrl(url);
    if (target === null) return { allowed: false };
    const { host, port, literal } = target;
    const address = literal ? parseAddress(host) : null;
    const excepted = address === null ? allowlist.hasName(host) : allowlist.hasAddress(address);
    const own = options
      .ownHosts()
      .map(parseOwnHost)
      .filter((each) => each.host === host);
    const allowed = excepted
      ? !own.some((each) => each.port === port) && (!literal || addressAllowed(host, host, port))
      : target.protocol === 'https:' &&
        portAllowed(port) &&
        own.length === 0 &&
        (literal ? addressAllowed(host, host, port) : isPublicName(host));
    if (!allowed) return { allowed: false };
    return {
      allowed: true,
      url: target.url,
      host: host.includes(':') ? `[${host}]` : host,
      hostname: host,
      port,
      origin: target.origin,
      path: target.path,
      literal,
    };
  }

  return { checkUrl, addressAllowed };
}

/** Below 1024 only the web's own: anything else speaks no HTTP, but may obey a line that looks like its protocol. */
function portAllowed(port: number): boolean {
  return port === 80 || port === 443 || port >= 1_024;
}

function parseOwnHost(text: string): { host: string; port: number | null } {
  const [, host = text, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? [];
  const bare = host.replace(/^\[|\]$/g, '');
  return {
    host: parseAddress(bare)?.toString() ?? parseName(bare) ?? bare,
    port: port === undefined ? null : Number(port),
  };
}
