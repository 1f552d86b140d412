import { isIP, isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseRange } from '../net/ranges.ts';
import { eachOf, list, ValueFault } from './values.ts';

const hostPattern = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** Host and Origin names by which a server on this machine alone is called. */
export const loopbackNames: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/**
 * `file:PATH` or `postgres://…`. A path may be relative to the working directory, or begin with `~/`: clients that start
 * a process know neither shell nor a sensible working directory.
 */
export function databaseUrl(text: string): string {
  if (text.startsWith('file:')) {
    const path = sqlitePath(text);
    if (path === '' || path.startsWith(':memory:')) throw new ValueFault('names no file after file:');
    return `file:${/^~[/\\]/.test(path) ? join(homedir(), path.slice(2)) : path}`;
  }
  if (!/^postgres(ql)?:\/\/\S+$/.test(text)) throw new ValueFault('is neither file:PATH nor postgres://…');
  return text;
}

/** The path of a `file:` URL, in its long form (`file:///var/p.db`) too. Throws ValueFault. */
export function sqlitePath(url: string): string {
  if (!url.startsWith('file://')) return url.slice('file:'.length);
  try {
    return fileURLToPath(url);
  } catch {
    throw new ValueFault('is not a file: URL of this machine');
  }
}

/** A name or an address to bind. */
export function bindHost(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (!isHost(host)) throw new ValueFault('is neither a host name nor an address');
  return host;
}

/** Whether nobody but this machine reaches a server that binds it. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host) && isIP(host) !== 0;
}

/** A host as it stands in a URL. */
export function urlHost(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** Comma-separated host names, without scheme and path. */
export function hostNames(text: string): string[] {
  return eachOf(list(text), hostName);
}

/** Comma-separated addresses and CIDRs, each as `address/bits`. */
export function addressRanges(text: string): string[] {
  return eachOf(list(text), (one) => {
    const range = parseRange(one);
    if (range === null) throw new ValueFault('is neither an address nor a CIDR');
    const [address, bits] = range;
    if (bits === 0) throw new ValueFault('is every address that there is');
    return `${address.toString()}/${bits}`;
  });
}

/** A port is let pass and dropped: names are compared without it. */
function hostName(text: string): string {
  const host = isIP(text) === 0 ? text.replace(/:\d{1,5}$/, '').replace(/^\[(.*)\]$/, '$1') : text;
  if (!isHost(host)) throw new ValueFault('is not a plain host name, without scheme and path');
  return host.toLowerCase();
}

function isHost(text: string): boolean {
  return isIP(text) !== 0 || hostPattern.test(text);
}

/** An http or https URL without credentials, query and fragment; without a slash at its end. */
export function publicUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new ValueFault('is not an http:// or https:// URL');
  if (url.username !== '' || url.password !== '') throw new ValueFault('holds credentials, which it may not');
  if (url.search !== '' || url.hash !== '') throw new ValueFault('holds a query or a fragment, which it may not');
  return url.href.replace(/\/+$/, '');
}
