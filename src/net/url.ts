import { isIP } from 'node:net';

/** Of a URL as it is typed, and as it is stored. */
export const urlCharactersMax = 2_048;

/** A URL that is well-formed beyond doubt: every parser agrees on its host. */
export interface TargetUrl {
  /** Normalised: punycode, no fragment, no trailing dot. */
  url: string;
  protocol: 'http:' | 'https:';
  /** Lower case, without brackets and trailing dot. */
  host: string;
  port: number;
  origin: string;
  /** Path and query. */
  path: string;
  /** True when the host is an IP address. */
  literal: boolean;
}

/** RFC 1035 in size; the underscore is in use although RFC 1123 lacks it. */
const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const endsInNumber = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/** Names that mean something only inside a machine, a house or a cluster (RFC 6761, 6762, 7686, 8375 and habit). */
const privateSuffixes = [
  'localhost',
  'localdomain',
  'local',
  'internal',
  'home.arpa',
  'svc',
  'cluster.local',
  'lan',
  'onion',
];

/** Lower case, without the trailing dot; null unless it is a DNS name. */
export function parseName(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, '');
  const wellFormed =
    name.length <= 253 && name.split('.').every((part) => label.test(part)) && !endsInNumber.test(name);
  return wellFormed ? name : null;
}

/** True for names of the public DNS: two labels or more, and no suffix for private use. */
export function isPublicName(name: string): boolean {
  return name.includes('.') && !privateSuffixes.some((suffix) => `.${name}`.endsWith(`.${suffix}`));
}

/**
 * Reads a target's URL, or answers null where readers could disagree on what it names.
 *
 * WHATWG's parser mends what it reads: it drops tabs and soft hyphens, turns backslashes into slashes and `0x7f.1` into
 * 127.0.0.1. So the raw text is looked at first, and an IPv4 address has to be typed as the parser would write it.
 */
export function parseTargetUrl(raw: string): TargetUrl | null {
  if (raw.length > urlCharactersMax || /[\s\\\u0000-\u001f\u007f-\u009f]/.test(raw)) return null;
  const authority = /^https?:\/\/([^/?#]+)/i.exec(raw)?.[1];
  if (authority === undefined || /[@%]/.test(authority)) return null;
  const url = URL.parse(raw);
  if (url === null) return null;

  const typedHost = authority.replace(/:\d*$/, '');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const literal = isIP(host) !== 0;
  if (isIP(host) === 4 && typedHost !== host) return null;
  const name = literal ? host : parseName(host);
  if (name === null) return null;

  if (!literal) url.hostname = name;
  url.hash = '';
  if (url.href.length > urlCharactersMax) return null;
  const protocol = url.protocol === 'http:' ? 'http:' : 'https:';
  const port = url.port === '' ? (protocol === 'http:' ? 80 : 443) : Number(url.port);
  return { url: url.href, protocol, host: name, port, origin: url.origin, path: url.pathname + url.search, literal };
}
