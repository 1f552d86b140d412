import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { httpLimits } from '../../src/http/limits.ts';
import { adminKey, type Rest, startRest } from '../contract/rest.ts';
import { form, own, pageRequests } from './requests.ts';

let rest: Rest;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());

const { send, signIn, cookieOf } = pageRequests(() => rest);
const newKey = '/settings/api/keys';

describe('a form that comes back with a sign-in', () => {
  it('is none where its path is no form of the page, however it is written', async () => {
    const kept = { 'kept.name': 'Mine' };
    for (const path of ['/auto/automations/%E0%A4%A', '/nowhere', '', '//evil.example', '%']) {
      const { status, headers } = await signIn(adminKey, { ...kept, kept_path: path });
      expect([path, status, headers.get('location')]).toEqual([path, 303, '/']);
    }
    const { status, text } = await signIn(adminKey, { ...kept, kept_path: '/auto/automations' });
    expect([status, text.includes('value="Mine"')]).toEqual([200, true]);
  });

  it('is kept up to 12 KiB, and said to be too long beyond', async () => {
    const filled = (bytes: number) => `name=${'x'.repeat(bytes - 'name='.length)}`;
    const post = (bytes: number) => send('POST', newKey, { ...form, ...own }, filled(bytes));
    const whole = await post(httpLimits.expiredFormBytesMax);
    expect([whole.status, whole.text.includes('name="kept.name"')]).toEqual([401, true]);
    const fields = { kept_path: newKey, 'kept.name': filled(httpLimits.expiredFormBytesMax).slice('name='.length) };
    expect((await signIn(adminKey, fields)).status).toBe(200);
    const long = await post(httpLimits.expiredFormBytesMax + 1);
    expect([long.status, long.text.includes('too long to be kept')]).toEqual([413, true]);
  });
});

/** The status of the answer to a request of which only this was sent. */
async function answered(path: string, headers: Record<string, string>, sent = ''): Promise<number> {
  const { hostname, port } = new URL(rest.base);
  const socket = connect(Number(port), hostname);
  try {
    const lines = Object.entries({ host: `${hostname}:${port}`, ...form, ...headers }).map((pair) => pair.join(': '));
    socket.write([`POST ${path} HTTP/1.1`, ...lines, '', sent].join('\r\n'));
    const [first] = (await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
    return Number(first.toString().split(' ')[1]);
  } finally {
    socket.destroy();
  }
}

describe('who is not signed in', () => {
  const large = { 'content-length': '5242880' };
  const chunked = { 'transfer-encoding': 'chunked' };
  /** One chunk of 17 KiB, and the next never comes. */
  const endless = `4400\r\n${'x'.repeat(0x4400)}\r\n`;

  it.each([
    ['a large sign-in', '/sign-in', { ...own, ...large }, '', 413],
    ['a sign-in without an end', '/sign-in', { ...own, ...chunked }, endless, 413],
    ['a large form', newKey, { ...own, ...large }, '', 413],
    ['a form without an end', newKey, { ...own, ...chunked }, endless, 413],
    ['a large form of another site', newKey, large, '', 403],
    ['a large form to sign out', '/sign-out', { ...own, ...large }, '', 303],
  ])('%s is answered before its body comes', async (_, path, headers, sent, status) => {
    expect(await answered(path, headers, sent)).toBe(status);
    await rest.pass(60_000);
  });

  it('is refused before a body comes after too many failures', async () => {
    await Promise.all(Array.from({ length: 20 }, () => signIn('wrong-key-123')));
    expect(await answered('/sign-in', { ...own, 'content-length': '10' })).toBe(429);
    await rest.pass(60_000);
  });
});

describe('behind a proxy', () => {
  const via = (address: string) => ({ ...own, ...form, 'x-forwarded-for': address });
  const tryFrom = (at: Rest, address: string, key: string) =>
    pageRequests(() => at).send('POST', '/sign-in', via(address), new URLSearchParams({ key }).toString());

  it('that is trusted a stranger closes the sign-in for nobody else', async () => {
    const trusting = await startRest({ environment: { POSTHORN_TRUSTED_PROXIES: '127.0.0.0/8' } });
    onTestFinished(() => trusting.close());
    for (let nth = 0; nth < 20; nth++) await tryFrom(trusting, `${nth}.1.1.1, 203.0.113.9`, 'wrong-key-123');
    expect((await tryFrom(trusting, '203.0.113.9', adminKey)).status).toBe(429);
    expect((await tryFrom(trusting, '203.0.113.9, 198.51.100.7', adminKey)).status).toBe(303);
  });

  it('that is not, what it says of its callers counts for nothing', async () => {
    for (let nth = 0; nth < 20; nth++) await tryFrom(rest, `203.0.113.${nth}`, 'wrong-key-123');
    expect((await tryFrom(rest, '198.51.100.7', adminKey)).status).toBe(429);
    await rest.pass(60_000);
  });
});

describe('two servers on one host', () => {
  it('do not sign each other out', async () => {
    const other = await startRest();
    onTestFinished(() => other.close());
    const [here, there] = [await cookieOf(), await pageRequests(() => other).cookieOf()];
    const cookie = `${here}; ${there}`;
    expect(here.split('=')[0]).not.toBe(there.split('=')[0]);
    expect((await send('GET', '/', { cookie })).status).toBe(200);
    expect((await pageRequests(() => other).send('GET', '/', { cookie })).status).toBe(200);
  });

  it('behind one public address know each other’s sessions, whatever the proxy calls them', async () => {
    const environment = { POSTHORN_PUBLIC_URL: 'https://hooks.example.com:8443' };
    const proxied = await startRest({ environment });
    onTestFinished(() => proxied.close());
    const cookie = await pageRequests(() => proxied).cookieOf();
    expect(cookie).toMatch(/^__Host-posthorn_8443=/);
    const asked = proxied.base.replace('127.0.0.1', 'localhost');
    expect((await fetch(asked, { headers: { cookie, accept: 'text/html' } })).status).toBe(200);
  });
});

it('who is signed in may send a long form', async () => {
  const cookie = await cookieOf();
  const long = `name=${'x'.repeat(100_000)}`;
  expect((await send('POST', newKey, { cookie, ...form, ...own }, long)).status).toBe(422);
});
