import { domainToASCII } from 'node:url';
import { type Address, inRange, isMetadata, parseAddress, parseRange, type Range } from './ranges.ts';
import { parseName } from './url.ts';

/** The operator's exceptions to the policy. */
export interface Allowlist {
  hasName(host: string): boolean;
  /** Metadata addresses only when listed exactly: a wide range is not meant to hand out credentials. */
  hasAddress(address: Address): boolean;
}

/**
 * Reads `POSTHORN_ALLOW_TARGETS`: CIDRs, IP addresses and host names, separated by commas. Answers them normalised, in
 * their order. Throws an Error that names the first entry at fault.
 */
export function parseAllowTargets(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(parseEntry);
}

/** `entries` as `parseAllowTargets` answers them; throws as it does. */
export function makeAllowlist(entries: readonly string[]): Allowlist {
  const names = new Set<string>();
  const exact = new Set<string>();
  const ranges: Range[] = [];
  for (const entry of entries.map(parseEntry)) {
    const range = parseRange(entry);
    if (range === null) {
      names.add(entry);
      continue;
    }
    ranges.push(range);
    const [address, bits] = range;
    if (bits === address.toByteArray().length * 8) exact.add(address.toString());
  }
  return {
    hasName: (host) => names.has(host),
    hasAddress: (address) =>
      isMetadata(address) ? exact.has(address.toString()) : ranges.some((range) => inRange(address, range)),
  };
}

function parseEntry(entry: string): string {
  if (parseRange(entry) !== null) return entry;
  const fault = `"${entry}" is not a CIDR, an IP address or a host name, such as 10.0.0.0/8, 127.0.0.1 or hooks.internal`;
  if (/[\s/\\?#@:%*[\]]/.test(entry)) throw new Error(fault);
  const ascii = domainToASCII(entry);
  // `127.1` would be read as an address that nobody typed.
  const name = parseAddress(ascii) === null ? parseName(ascii) : null;
  if (name === null) throw new Error(fault);
  return name;
}
