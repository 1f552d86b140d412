import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
/** An address block: network and prefix length in bits. */
export type Range = [Address, number];

/**
 * IPv4 that is never called: IANA's special-purpose registry (RFC 6890), multicast, the reserved top, and Azure's
 * WireServer, which every registry calls public.
 */
const refusedIpv4 = ranges([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '168.63.129.16/32',
]);

/**
 * IPv6 is refused unless it is global unicast (RFC 4291). Whatever carries an IPv4 address is then outside (mapped,
 * compatible, translated, NAT64 of RFC 6052 and RFC 8215) or one of the exceptions (Teredo in 2001::/23, 6to4).
 */
const globalIpv6 = ranges(['2000::/3']);
const refusedIpv6 = ranges(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);

/** Node connects to this machine for all of them: an unspecified address means the loopback. */
const loopback = ranges([
  '127.0.0.0/8',
  '0.0.0.0/32',
  '::1/128',
  '::/128',
  '::ffff:127.0.0.0/104',
  '::ffff:0.0.0.0/128',
]);

/** Where clouds hand out credentials to whoever asks from inside. */
const metadata = new Set(
  [
    '169.254.169.254', // AWS, Google Cloud, Azure, OpenStack, DigitalOcean and most others
    '169.254.170.2', // AWS ECS task credentials
    '169.254.170.23', // AWS EKS pod identity
    '169.254.42.42', // Scaleway
    '169.254.0.23', // Tencent Cloud
    '100.100.100.200', // Alibaba Cloud
    '168.63.129.16', // Azure WireServer
    '192.0.0.192', // Oracle Cloud
    'fd00:ec2::254', // AWS
    'fd00:ec2::23', // AWS EKS pod identity
    'fd20:ce::254', // Google Cloud
    'fd00:42::42', // Scaleway
  ].map((text) => ipaddr.parse(text).toString()),
);

/**
 * Where the four bytes of an IPv4 address can sit inside an IPv6 address: at the end (mapped, compatible, translated,
 * ISATAP, RFC 6052 /96), after the 6to4 prefix, and at the other prefix lengths of RFC 6052.
 */
const embeddedAt = [
  [12, 13, 14, 15],
  [2, 3, 4, 5],
  [4, 5, 6, 7],
  [5, 6, 7, 9],
  [6, 7, 9, 10],
  [7, 9, 10, 11],
  [9, 10, 11, 12],
];

/** Canonical text only: no shortened, octal or hexadecimal IPv4 and no zone id. Null for everything else. */
export function parseAddress(text: string): Address | null {
  return isIP(text) === 0 || text.includes('%') ? null : ipaddr.parse(text);
}

/** `address/bits`, or one address, which is a range of its own. Null for everything else. */
export function parseRange(text: string): Range | null {
  const [base = '', bits, ...rest] = text.split('/');
  const address = parseAddress(base);
  if (address === null || rest.length > 0) return null;
  const width = address.kind() === 'ipv4' ? 32 : 128;
  if (bits === undefined) return [address, width];
  return /^\d{1,3}$/.test(bits) && Number(bits) <= width ? [address, Number(bits)] : null;
}

/** Never true between families: an IPv4 range holds no IPv6 address, mapped ones included. */
export function inRange(address: Address, [network, bits]: Range): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}

/** True for addresses of the public internet, as far as an address can tell. */
export function isPublic(address: Address): boolean {
  const within = (range: Range) => inRange(address, range);
  if (address.kind() === 'ipv4') return !refusedIpv4.some(within);
  return globalIpv6.some(within) && !refusedIpv6.some(within) && !isIsatap(address);
}

/** True for this machine, as it names itself. */
export function isLoopback(address: Address): boolean {
  return loopback.some((range) => inRange(address, range));
}

/** RFC 5214: whatever the prefix, the site's router unwraps the IPv4 address at the end and delivers inside. */
function isIsatap(address: Address): boolean {
  const [high, ...rest] = address.toByteArray().slice(8, 12);
  return (high === 0 || high === 2) && rest.join() === '0,94,254';
}

/** True for a cloud's metadata service, also when its IPv4 address is embedded in an IPv6 address. */
export function isMetadata(address: Address): boolean {
  if (metadata.has(address.toString())) return true;
  if (address.kind() === 'ipv4') return false;
  const bytes = address.toByteArray();
  const teredoClient = bytes.slice(12).map((byte) => byte ^ 0xff); // RFC 4380: stored inverted
  const embedded = [teredoClient, ...embeddedAt.map((positions) => positions.map((position) => bytes[position]))];
  return embedded.some((parts) => metadata.has(parts.join('.')));
}

function ranges(texts: string[]): Range[] {
  return texts.map((text) => ipaddr.parseCIDR(text));
}
