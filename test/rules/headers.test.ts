import fc from 'fast-check';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  headerFaults,
  headerNameCharactersMax,
  headersBytesMax,
  headerValueCharactersMax,
  maskedValue,
  openHeaders,
  sealHeaders,
} from '../../src/core/rules/headers.ts';
import { makeVault } from '../../src/core/rules/seal.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());

const pathsOf = (headers: Record<string, string>) => headerFaults(headers, 'TrustPager').map(({ path }) => path);

describe('names', () => {
  it.each([
    'Host',
    'content-length',
    'Content-Type',
    'Content-Encoding',
    'User-Agent',
    'Expect',
    'Connection',
    'Keep-Alive',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Proxy-Connection',
    'Proxy-Authorization',
    'Proxy-Authenticate',
    'HTTP2-Settings',
    'webhook-id',
    'Webhook-Timestamp',
    'WEBHOOK-SIGNATURE',
    'webhook-anything',
    'X-TrustPager-Signature',
    'x-trustpager-event',
    'X-TRUSTPAGER-Other',
  ])('%s is taken', (name) => {
    expect(headerFaults({ [name]: 'a' }, 'TrustPager')).toMatchObject([{ path: `/${name}` }]);
  });

  it.each(['', ' ', 'a b', 'a:b', ':path', 'a\r\nb', 'ä', '__proto__', '-a', 'a\u0000', '(a)', '"a"'])(
    '%j is none',
    (name) => {
      expect(pathsOf(Object.fromEntries([[name, 'a']]))).toEqual([`/${name}`]);
    },
  );

  it.each(['Authorization', 'X-Api-Key', 'x-trustpagers', 'X_Team', 'a', '1', 'constructor', 'X-Acme-Event'])(
    '%s is one, and the brand decides what is ours',
    (name) => {
      expect(pathsOf({ [name]: 'a' })).toEqual([]);
      expect(headerFaults({ 'X-Acme-Event': 'a' }, 'Acme')).toHaveLength(1);
    },
  );

  it('stand there once, whatever their case, and point the way with escapes', () => {
    expect(pathsOf({ 'X-A': '1', 'x-a': '2' })).toEqual(['/x-a']);
    expect(pathsOf({ 'a/b': '1' })).toEqual(['/a~1b']);
    expect(pathsOf({ 'X~A': '\n' })).toEqual(['/X~0A']);
  });

  it('have a longest', () => {
    expect(pathsOf({ ['x'.repeat(headerNameCharactersMax)]: 'a' })).toEqual([]);
    expect(pathsOf({ ['x'.repeat(headerNameCharactersMax + 1)]: 'a' })).toHaveLength(1);
  });
});

describe('values', () => {
  it.each(['', ' ', ' a', 'a ', 'a\r\nX-B: c', 'a\nb', 'a\u0000', 'a\tb', '\u007f', 'ä', '\u2028', '😀', maskedValue])(
    '%j may not be sent',
    (value) => {
      expect(pathsOf({ 'X-A': value })).toEqual(['/X-A']);
    },
  );

  it('have a longest, and so have all together', () => {
    expect(pathsOf({ 'X-A': 'x'.repeat(headerValueCharactersMax) })).toEqual([]);
    expect(pathsOf({ 'X-A': 'x'.repeat(headerValueCharactersMax + 1) })).toEqual(['/X-A']);
    const value = 'x'.repeat(headersBytesMax / 2 - 3);
    expect(pathsOf({ 'X-A': value, 'X-B': value })).toEqual([]);
    expect(pathsOf({ 'X-A': value, 'X-BB': value })).toEqual(['']);
  });

  it('are in no sentence about them', () => {
    expect(JSON.stringify(headerFaults({ 'X-A': 'canary-value\n', Host: 'canary-value' }, 'T'))).not.toContain(
      'canary',
    );
  });
});

it('whatever is taken arrives as it was given, and adds no other header', async () => {
  const plain = Object.keys((await arrived({})) ?? {});
  const text = fc.oneof(fc.string({ unit: 'binary-ascii', maxLength: 12 }), fc.stringMatching(/^[!-~]{1,12}$/));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(text, text, { maxKeys: 3 }), async (headers) => {
      fc.pre(headerFaults(headers, 'TrustPager').length === 0);
      const got = (await arrived(headers)) ?? {};
      const given = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
      expect(given.filter(([name, value]) => got[name] !== value)).toEqual([]);
      expect(Object.keys(got)).toHaveLength(new Set([...plain, ...given.map(([name]) => name)]).size);
    }),
    { numRuns: 150 },
  );
});

async function arrived(headers: Record<string, string>) {
  const { body } = await request(receiver.url, { method: 'POST', headers: Object.entries(headers).flat(), body: '{}' });
  await body.dump();
  return receiver.requests.at(-1)?.headers;
}

it('are sealed for their endpoint alone, and never open as its secret', () => {
  const vault = makeVault(Buffer.alloc(32, 1), { bytes: (count) => Buffer.alloc(count, 2) });
  const sealed = sealHeaders(vault, 'cfg_1', { 'X-A': 'canary' });
  expect(sealed?.includes('canary')).toBe(false);
  expect(openHeaders(vault, 'cfg_1', sealed)).toEqual({ 'X-A': 'canary' });
  expect(() => openHeaders(vault, 'cfg_2', sealed)).toThrow('authenticate');
  expect(() => openHeaders(vault, 'cfg_1', vault.seal('{}', 'cfg_1'))).toThrow('authenticate');
  expect([sealHeaders(vault, 'cfg_1', {}), openHeaders(vault, 'cfg_1', null)]).toEqual([null, {}]);
});
