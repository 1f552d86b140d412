import { describe, expect, test } from 'vitest';
import { makePolicy, type PolicyOptions } from '../../src/net/address.ts';

function policy(options: Partial<PolicyOptions> = {}) {
  return makePolicy({ allowTargets: [], ownHosts: () => [], ownAddresses: () => [], ...options });
}
function allows(url: string, options: Partial<PolicyOptions> = {}): boolean {
  return policy(options).checkUrl(url).allowed;
}

describe('what a URL may look like', () => {
  test.each([
    ['https://hooks.example.com/', true],
    ['HTTPS://hooks.example.com/', true],
    ['https://hooks.example.com', true],
    ['https://hooks.example.com?x=1', true],
    ['http://hooks.example.com/', false],
    ['ftp://hooks.example.com/', false],
    ['//hooks.example.com/', false],
    ['https:hooks.example.com/', false],
    ['https:/hooks.example.com/', false],
    ['https:///hooks.example.com/', false],
    ['https://', false],
    ['', false],
    ['hooks.example.com', false],
    [' https://hooks.example.com/', false],
    ['https://hooks.example.com/ ', false],
    ['https://hooks.example.com/a b', false],
    ['https://hooks.example.com/a\u00a0b', false],
    ['https://hooks.example.com/a\nb', false],
    ['https://hooks.example.com/a\u0000b', false],
    ['https://hooks.example.com/a\u0085b', false],
    ['https://hooks.example.com/a\\b', false],
    ['https://hooks.example.com/%0d%0a', true],
    ['https://user@hooks.example.com/', false],
    ['https://@hooks.example.com/', false],
    ['https://hooks.example.com/@user', true],
    ['https://hooks%2eexample.com/', false],
    ['https://[2606:4700::1%25eth0]/', false],
    ['https://hooks..example.com/', false],
    ['https://.example.com/', false],
    ['https://hooks.example.com../', false],
    ['https://-.example.com/', false],
    ['https://a!b.example.com/', false],
    ['https://under_score.example.com/', true],
    [`https://${'a'.repeat(63)}.example.com/`, true],
    [`https://${'a'.repeat(64)}.example.com/`, false],
    [`https://${'a.'.repeat(130)}com/`, false],
  ])('%j: %s', (url, allowed) => {
    expect(allows(url)).toBe(allowed);
  });

  test('at most 2,048 characters, as typed and as stored', () => {
    const url = (length: number, filler = 'a') => `https://hooks.example.com/`.padEnd(length, filler);
    expect(allows(url(2_048))).toBe(true);
    expect(allows(url(2_049))).toBe(false);
    expect(allows(url(1_000, 'é'))).toBe(false);
  });

  test('IPv4 is typed in canonical dotted decimal or refused', () => {
    expect(allows('https://93.184.215.14/')).toBe(true);
    const spellings = [
      '1572395790',
      '0x5db8d70e',
      '0135.0270.0327.016',
      '93.184.55054',
      '93.12113678',
      '093.184.215.14',
    ];
    const others = ['93.184.215.14.', '９３.184.215.14', '93。184。215。14', '93.184.215.0x0e'];
    expect([...spellings, ...others].filter((host) => allows(`https://${host}/`))).toEqual([]);
  });

  test('is stored in punycode, in lower case, without fragment, default port and trailing dot', () => {
    expect(policy().checkUrl('HTTPS://Bücher.Example.COM.:443/Pfad/ü?q=ä#oben')).toEqual({
      allowed: true,
      url: 'https://xn--bcher-kva.example.com/Pfad/%C3%BC?q=%C3%A4',
      host: 'xn--bcher-kva.example.com',
      hostname: 'xn--bcher-kva.example.com',
      port: 443,
      origin: 'https://xn--bcher-kva.example.com',
      path: '/Pfad/%C3%BC?q=%C3%A4',
      literal: false,
    });
    expect(policy().checkUrl('https://[2606:4700:0:0::1111]:8443')).toMatchObject({
      url: 'https://[2606:4700::1111]:8443/',
      host: '[2606:4700::1111]',
      hostname: '2606:4700::1111',
      port: 8_443,
      literal: true,
    });
  });
});

describe('names', () => {
  test.each([
    'localhost',
    'LOCALHOST.',
    'redis',
    'a.localhost',
    'localhost.localdomain',
    'printer.local',
    'db.internal',
  ])('%s is refused', (host) => {
    expect(allows(`https://${host}/`)).toBe(false);
  });
  test.each(['home.arpa', 'nas.home.arpa', 'api.default.svc', 'api.default.svc.cluster.local', 'tv.lan', 'abc.onion'])(
    '%s is refused',
    (host) => {
      expect(allows(`https://${host}/`)).toBe(false);
      expect(allows(`https://${host}./`)).toBe(false);
    },
  );
  test.each(['localhost.example.com', 'mylocalhost.com', '10.example.com', 'local.com', 'xlan.com', 'arpa.example'])(
    '%s is allowed',
    (host) => {
      expect(allows(`https://${host}/`)).toBe(true);
    },
  );
});

test('ports 80, 443 and from 1024 up', () => {
  const ports = [0, 1, 22, 25, 79, 80, 81, 443, 444, 1_023, 1_024, 8_443, 65_535, 65_536];
  const allowed = ports.filter((port) => allows(`https://hooks.example.com:${port}/`));
  expect(allowed).toEqual([80, 443, 1_024, 8_443, 65_535]);
  expect(ports.filter((port) => port > 0 && policy().addressAllowed('a.com', '93.184.215.14', port))).toEqual([
    80, 443, 1_024, 8_443, 65_535, 65_536,
  ]);
});

describe('addresses', () => {
  // The first and last address of every refused range, then their neighbours that are public.
  test.each([
    ['0.0.0.0', '0.255.255.255', [], ['1.0.0.0']],
    ['10.0.0.0', '10.255.255.255', ['9.255.255.255'], ['11.0.0.0']],
    ['100.64.0.0', '100.127.255.255', ['100.63.255.255'], ['100.128.0.0']],
    ['127.0.0.0', '127.255.255.255', ['126.255.255.255'], ['128.0.0.0']],
    ['169.254.0.0', '169.254.255.255', ['169.253.255.255'], ['169.255.0.0']],
    ['172.16.0.0', '172.31.255.255', ['172.15.255.255'], ['172.32.0.0']],
    ['192.0.0.0', '192.0.0.255', ['191.255.255.255'], ['192.0.1.0']],
    ['192.0.2.0', '192.0.2.255', ['192.0.1.255'], ['192.0.3.0']],
    ['192.88.99.0', '192.88.99.255', ['192.88.98.255'], ['192.88.100.0']],
    ['192.168.0.0', '192.168.255.255', ['192.167.255.255'], ['192.169.0.0']],
    ['198.18.0.0', '198.19.255.255', ['198.17.255.255'], ['198.20.0.0']],
    ['198.51.100.0', '198.51.100.255', ['198.51.99.255'], ['198.51.101.0']],
    ['203.0.113.0', '203.0.113.255', ['203.0.112.255'], ['203.0.114.0']],
    ['224.0.0.0', '255.255.255.255', ['223.255.255.255'], []],
    ['168.63.129.16', '168.63.129.16', ['168.63.129.15'], ['168.63.129.17']],
    ['::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', [], ['2000::']],
    ['2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', ['2000:ffff::'], ['2001:200::']],
    ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', ['2001:db7:ffff::'], ['2001:db9::']],
    ['2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['2001:ffff::'], ['2003::']],
    ['3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', ['3ffe:ffff::'], ['3fff:1000::']],
    ['2600::5efe:0:0', '2600::5efe:ffff:ffff', ['2600::5efd:ffff:ffff'], ['2600::5eff:0:0']],
    ['2600::200:5efe:0:0', '2600::200:5efe:ffff:ffff', ['2600::200:5efd:ffff:ffff'], ['2600::200:5eff:0:0']],
    ['4000::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['3fff:ffff:ffff::'], []],
  ])('%s to %s is refused, its neighbours are not', (first, last, before, after) => {
    const allowed = (address: string) => policy().addressAllowed('hooks.example.com', address, 443);
    expect([first, last].filter(allowed)).toEqual([]);
    expect([...before, ...after].filter(allowed)).toEqual([...before, ...after]);
  });

  test('what is not an address in canonical text is refused', () => {
    const texts = ['', '127.1', '0x7f.0.0.1', '010.0.0.1', '2606:4700::1%eth0', 'hooks.example.com', '93.184.215.14 '];
    expect(texts.filter((text) => policy().addressAllowed('hooks.example.com', text, 443))).toEqual([]);
  });

  test("the machine's own are refused, however public they look", () => {
    const ownAddresses = () => ['93.184.215.14', '2606:4700:0:0::1'];
    expect(allows('https://93.184.215.14/', { ownAddresses })).toBe(false);
    expect(allows('https://[2606:4700::1]/', { ownAddresses })).toBe(false);
    expect(allows('https://93.184.215.15/', { ownAddresses })).toBe(true);
  });
});

describe("the server's own host", () => {
  const ownHosts = () => ['Self.Example.net', '93.184.215.14:8787', '[2606:4700::1]:8787'];
  test.each([
    ['https://self.example.net/v1/events', false],
    ['https://self.example.net.:9000/', false],
    ['https://93.184.215.14/', false],
    ['https://[2606:4700:0::1]:8787/', false],
    ['https://other.example.net/', true],
    ['https://93.184.215.15/', true],
  ])('%s: %s', (url, allowed) => {
    expect(allows(url, { ownHosts })).toBe(allowed);
  });

  test('where the operator allows the host, its other ports may be called', () => {
    const options = { allowTargets: ['127.0.0.0/8'], ownHosts: () => ['127.0.0.1:8787'] };
    expect(allows('http://127.0.0.1:8787/v1/events', options)).toBe(false);
    expect(allows('http://127.0.0.1:9000/hook', options)).toBe(true);
  });

  test.each(['127.0.0.1', '127.9.9.9', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1', '10.0.0.5', '2606:4700::1'])(
    'its port is refused on %s, which is this machine, in an allowed range and under an allowed name',
    (address) => {
      const options: Partial<PolicyOptions> = {
        allowTargets: ['0.0.0.0/0', '::/0', 'hooks.internal'],
        ownAddresses: () => ['10.0.0.5', '2606:4700:0::1'],
        ownPort: () => 8_787,
      };
      const ports = (host: string) =>
        [8_786, 8_787].filter((port) => policy(options).addressAllowed(host, address, port));
      expect(ports('hooks.example.com')).toEqual([8_786]);
      expect(ports('hooks.internal')).toEqual([8_786]);
      const host = address.includes(':') ? `[${address}]` : address;
      expect(allows(`http://${host}:8787/`, options)).toBe(false);
      expect(allows(`http://${host}:8786/`, options)).toBe(true);
      expect(policy(options).addressAllowed('hooks.internal', '10.0.0.6', 8_787)).toBe(true);
    },
  );
});

describe("the operator's exceptions", () => {
  const allowTargets = ['127.0.0.0/8', '169.254.0.0/16', '::/0', 'hooks.internal', 'redis', '10.0.0.5'];
  test.each([
    ['http://127.0.0.1:22/', true],
    ['https://127.0.0.1/', true],
    ['http://hooks.internal:25/', true],
    ['http://redis:6379/', true],
    ['http://10.0.0.5/', true],
    ['http://10.0.0.6/', false],
    ['http://localhost/', false],
    ['http://hooks.example.com/', false],
    ['ftp://127.0.0.1/', false],
    ['http://2130706433/', false],
    ['http://127.1/', false],
    ['http://user@127.0.0.1/', false],
    ['http://169.254.1.1/', true],
    ['http://169.254.169.254/', false],
    ['http://[fd00:ec2::254]/', false],
    ['http://[::ffff:169.254.169.254]/', false],
    ['http://[64:ff9b::a9fe:a9fe]/', false],
    ['http://[64:ff9b:1:a9fe:a9:fe00::]/', false],
    ['http://[2002:a9fe:a9fe::1]/', false],
    ['http://[2001:0:1:2:3:4:5601:5601]/', false],
    ['http://[::1]:8080/', true],
  ])('%s: %s', (url, allowed) => {
    expect(allows(url, { allowTargets })).toBe(allowed);
  });

  test('an allowed name may resolve to any address but metadata; an allowed range holds under any public name', () => {
    const reached = policy({ allowTargets });
    const addressAllowed = (host: string, address: string, port: number) => reached.addressAllowed(host, address, port);
    expect(addressAllowed('hooks.internal', '192.168.1.1', 25)).toBe(true);
    expect(addressAllowed('hooks.internal', '169.254.169.254', 80)).toBe(false);
    expect(addressAllowed('hooks.example.com', '127.0.0.2', 443)).toBe(true);
    expect(addressAllowed('hooks.example.com', '192.168.1.1', 443)).toBe(false);
    expect(addressAllowed('hooks.example.com', '::ffff:192.168.1.1', 443)).toBe(true);
  });

  test('metadata is called where it is named exactly', () => {
    const options = { allowTargets: ['169.254.169.254', 'fd00:ec2::254/128', '168.63.129.16/32'] };
    expect(allows('http://169.254.169.254/', options)).toBe(true);
    expect(allows('http://[fd00:ec2::254]/', options)).toBe(true);
    expect(allows('http://168.63.129.16/', options)).toBe(true);
    expect(allows('http://169.254.170.2/', options)).toBe(false);
    expect(allows('http://[::ffff:a9fe:a9fe]/', options)).toBe(false);
  });

  test('an IPv4 range does not hold the addresses that embed it', () => {
    expect(allows('http://[::ffff:127.0.0.1]/', { allowTargets: ['127.0.0.0/8'] })).toBe(false);
    expect(allows('http://[::ffff:127.0.0.1]/', { allowTargets: ['::ffff:127.0.0.0/104'] })).toBe(true);
  });
});
