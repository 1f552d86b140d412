import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makePolicy } from '../../src/net/address.ts';

/** An oracle of its own: plain arithmetic on numbers, no parser and no table of the product. */
const refusedIpv4: [number, number][] = [
  [0x00000000, 8],
  [0x0a000000, 8],
  [0x64400000, 10],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0000000, 24],
  [0xc0000200, 24],
  [0xc0586300, 24],
  [0xc0a80000, 16],
  [0xc6120000, 15],
  [0xc6336400, 24],
  [0xcb007100, 24],
  [0xe0000000, 3],
  [0xa83f8110, 32],
];
function ipv4Public(value: number): boolean {
  return refusedIpv4.every(([network, bits]) => Math.floor(value / 2 ** (32 - bits)) !== network / 2 ** (32 - bits));
}
function ipv6Public(groups: number[]): boolean {
  const [first = 0, second = 0, , , fifth, sixth] = groups;
  if ((fifth === 0 || fifth === 0x200) && sixth === 0x5efe) return false;
  if (first < 0x2000 || first > 0x3fff || first === 0x2002) return false;
  if (first === 0x2001 && (second < 0x0200 || second === 0x0db8)) return false;
  return !(first === 0x3fff && second < 0x1000);
}

const ipv4Text = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
const ipv6Text = (groups: number[]) => groups.map((group) => group.toString(16)).join(':');

const uint16 = fc.integer({ min: 0, max: 0xffff });
const edges = refusedIpv4.flatMap(([network, bits]) => {
  const end = network + 2 ** (32 - bits);
  return [network - 1, network, end - 1, end].filter((value) => value >= 0 && value < 2 ** 32);
});
const ipv4 = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(...edges));
const ipv6 = fc
  .tuple(
    fc.oneof(uint16, fc.integer({ min: 0x2000, max: 0x3fff }), fc.constantFrom(0x2001, 0x2002, 0x3fff, 0x4000, 0x1fff)),
    fc.oneof(uint16, fc.constantFrom(0, 0x1ff, 0x200, 0xdb7, 0xdb8, 0xdb9, 0xfff, 0x1000)),
    fc.array(uint16, { minLength: 6, maxLength: 6 }),
  )
  .map(([first, second, rest]) => [first, second].concat(rest));

/**
 * Every standard way to write an IPv4 address as an IPv6 address: none is ever public. `any`: what may stand in the other
 * groups, global unicast prefixes among it.
 */
const embeddings: Record<string, (high: number, low: number, any: number) => number[]> = {
  'mapped, RFC 4291': (high, low) => [0, 0, 0, 0, 0, 0xffff, high, low],
  'compatible, RFC 4291': (high, low) => [0, 0, 0, 0, 0, 0, high, low],
  'translated, RFC 2765': (high, low) => [0, 0, 0, 0, 0xffff, 0, high, low],
  'NAT64, RFC 6052': (high, low) => [0x64, 0xff9b, 0, 0, 0, 0, high, low],
  'local NAT64 /96, RFC 8215': (high, low, any) => [0x64, 0xff9b, 1, any, any, any, high, low],
  'local NAT64 /48, RFC 8215': (high, low) => [0x64, 0xff9b, 1, high, low >>> 8, (low & 0xff) << 8, 0, 0],
  'local NAT64 /56, RFC 8215': (high, low) => [0x64, 0xff9b, 1, high >>> 8, high & 0xff, low, 0, 0],
  'local NAT64 /64, RFC 8215': (high, low, any) => [0x64, 0xff9b, 1, any, high >>> 8, (high << 8) & 0xffff, low, 0],
  '6to4, RFC 3056': (high, low, any) => [0x2002, high, low, any, any, any, any, any],
  'Teredo server, RFC 4380': (high, low, any) => [0x2001, 0, high, low, any, any, any, any],
  'Teredo client, RFC 4380': (high, low, any) => [0x2001, 0, any, any, any, any, high ^ 0xffff, low ^ 0xffff],
  'link-local ISATAP, RFC 5214': (high, low) => [0xfe80, 0, 0, 0, 0, 0x5efe, high, low],
  'ISATAP in a global prefix': (high, low, any) => [0x2600 + (any & 0xff), any, 0, any, 0, 0x5efe, high, low],
  'ISATAP of a global address': (high, low, any) => [0x2a00 + (any & 0xff), any, 0, any, 0x200, 0x5efe, high, low],
  'ISATAP without prefix': (high, low) => [0, 0, 0, 0, 0, 0x5efe, high, low],
};

const policy = makePolicy({ allowTargets: [], ownHosts: () => [], ownAddresses: () => [] });
const allowed = (address: string) => policy.addressAllowed('hooks.example.com', address, 443);
/** In the suite; `npm run test:addresses` takes a million. */
const numRuns = Number(process.env['TEST_ADDRESSES'] ?? 20_000);

test('IPv4: allowed exactly when the oracle calls it public', () => {
  let publicOnes = 0;
  const property = fc.property(ipv4, (value) => {
    if (ipv4Public(value)) publicOnes += 1;
    return allowed(ipv4Text(value)) === ipv4Public(value);
  });
  fc.assert(property, { numRuns });
  expect(publicOnes).toBeGreaterThan(numRuns / 10);
  expect(publicOnes).toBeLessThan(numRuns * 0.9);
});

test('IPv6: allowed exactly when the oracle calls it public', () => {
  let publicOnes = 0;
  const property = fc.property(ipv6, (groups) => {
    if (ipv6Public(groups)) publicOnes += 1;
    return allowed(ipv6Text(groups)) === ipv6Public(groups);
  });
  fc.assert(property, { numRuns });
  expect(publicOnes).toBeGreaterThan(numRuns / 10);
  expect(publicOnes).toBeLessThan(numRuns * 0.9);
});

test('IPv4 embedded in IPv6 is refused in every form, whatever the IPv4 address', () => {
  const forms = fc.constantFrom(...Object.keys(embeddings));
  const seen = new Set<string>();
  const property = fc.property(ipv4, forms, uint16, (value, form, any) => {
    seen.add(form);
    const groups = embeddings[form]?.(value >>> 16, value & 0xffff, any) ?? [];
    return groups.length === 8 && groups.every((group) => group >= 0 && group <= 0xffff) && !allowed(ipv6Text(groups));
  });
  fc.assert(property, { numRuns });
  expect([...seen].toSorted()).toEqual(Object.keys(embeddings).toSorted());
});

test('a URL with an address is allowed exactly when the address is', () => {
  const literals = fc.oneof(ipv4.map(ipv4Text), ipv6.map(ipv6Text));
  const property = fc.property(literals, (address) => {
    const host = address.includes(':') ? `[${address}]` : address;
    return policy.checkUrl(`https://${host}/hook`).allowed === allowed(address);
  });
  expect(() => fc.assert(property, { numRuns: numRuns / 10 })).not.toThrow();
});

test('whatever text is allowed is stored in a form that means the same to the policy', () => {
  const parts = [
    'https://',
    'http://',
    'hooks',
    '.',
    'example.com',
    '127.0.0.1',
    '0x7f',
    '1',
    '@',
    ':',
    '%',
    '\\',
    '/',
    '#',
  ];
  const url = fc.oneof(
    fc.webUrl(),
    fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 2 }))).map((p) => p.join('')),
  );
  let allowedOnes = 0;
  const property = fc.property(url, (text) => {
    const verdict = policy.checkUrl(text.replace(/^http:/, 'https:'));
    if (!verdict.allowed) return;
    allowedOnes += 1;
    expect(policy.checkUrl(verdict.url)).toEqual(verdict);
    expect(new URL(verdict.url).href).toBe(verdict.url);
    expect(verdict.host).not.toMatch(/(^|\.)localhost$|^\d+$/);
  });
  fc.assert(property, { numRuns: numRuns / 20 });
  expect(allowedOnes).toBeGreaterThan(numRuns / 100);
});
