import { expect, test } from 'vitest';
import { makeAllowlist, parseAllowTargets } from '../../src/net/allowlist.ts';

test('CIDRs, addresses and names, separated by commas', () => {
  expect(parseAllowTargets(' 127.0.0.0/8, ::1 ,fd00::/8,Hooks.Internal.,redis,bücher.lan,')).toEqual([
    '127.0.0.0/8',
    '::1',
    'fd00::/8',
    'hooks.internal',
    'redis',
    'xn--bcher-kva.lan',
  ]);
  expect(parseAllowTargets('')).toEqual([]);
});

test.each([
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '::/129',
  '10.0.0',
  '127.1',
  '010.0.0.1',
  '0x7f000001',
  '2130706433',
  '300.1.1.1',
  'http://hooks.internal',
  'hooks.internal:8080',
  'hooks.internal/8',
  '*.internal',
  'hooks internal',
  'hooks..internal',
  '[::1]',
  'fe80::1%eth0',
  'user@host',
])('%s is named as faulty', (entry) => {
  expect(() => parseAllowTargets(`127.0.0.1,${entry}`)).toThrow(
    `"${entry}" is not a CIDR, an IP address or a host name`,
  );
  expect(() => makeAllowlist([entry])).toThrow(`"${entry}"`);
});
