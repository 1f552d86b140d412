import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageHeaders } from '../../src/http/dashboard/layout.ts';
import { sessionCookie } from '../../src/http/dashboard/cookie.ts';
import { actions, views } from '../../src/http/dashboard/pages/index.ts';
import { adminKey, type Rest, startRest, subscriptions } from '../contract/rest.ts';
import { form, own, pageRequests } from '../page/requests.ts';

const hourMs = 3_600_000;
let rest: Rest;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());

const { send, signIn, cookieOf } = pageRequests(() => rest);
const somewhere = (path: string) => path.replaceAll(/:\w+/g, 'nothing');
const isSignedOut = ({ status, text }: { status: number; text: string }) => status === 401 && text.includes('Sign in');

describe('a form of the page', () => {
  const forms = ['/sign-in', '/sign-out', ...actions.map(({ path }) => somewhere(path))];
  const foreign: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { origin: 'null' },
    { origin: 'http://localhost:1' },
    {},
  ];

  it('that another site sent does nothing, whoever is signed in', async () => {
    const cookie = await cookieOf();
    const { body: made } = await rest.subscribe();
    const paths = [...forms, `/settings/api/subscriptions/${made.id}/delete`];
    const found: string[] = [];
    for (const path of paths) {
      for (const headers of foreign) {
        const { status, text } = await send('POST', path, { cookie, ...form, ...headers }, 'key=x');
        if (status !== 403 || text.includes('Sign out')) found.push(`${path} ${JSON.stringify(headers)}: ${status}`);
      }
    }
    expect(found).toEqual([]);
    expect(paths.length).toBeGreaterThan(15);
    expect((await rest.ask('GET', `${subscriptions}/${made.id}`)).status).toBe(200);
    // The same form from the page itself does it.
    const done = await send('POST', paths.at(-1) ?? '', { cookie, ...form, ...own }, '');
    expect(done.status).toBe(303);
    expect((await rest.ask('GET', `${subscriptions}/${made.id}`)).status).toBe(404);
  });

  it('asks for the scope that its use case needs: a key for something else is refused by each', async () => {
    const cookie = await cookieOf(await rest.makeKey('payloads:read'));
    const found: string[] = [];
    for (const { path } of actions) {
      const { status } = await send('POST', somewhere(path), { cookie, ...form, ...own }, 'url=https://a.example');
      if (status !== 403) found.push(`${path}: ${status}`);
    }
    expect(found).toEqual([]);
  });

  it('opens nothing without a session', async () => {
    for (const path of [...views.map((view) => somewhere(view.path)), '/data/webhooks/rows'])
      expect([path, isSignedOut(await send('GET', path))]).toEqual([path, true]);
    for (const { path } of actions)
      expect([path, isSignedOut(await send('POST', somewhere(path), { ...form, ...own }, ''))]).toEqual([path, true]);
  });

  it('sends nobody elsewhere after signing in', async () => {
    const next = [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      '/\t/evil.example',
      'javascript:alert(1)',
    ];
    for (const one of next) {
      expect((await signIn(adminKey, { next: one })).headers.get('location')).toBe('/');
    }
  });
});

describe('a session', () => {
  it('is a cookie that no script reads, no other site sends and, over https, no other host sets', async () => {
    expect((await signIn(adminKey)).headers.get('set-cookie')).toMatch(
      /^posthorn_\d+=[\w-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(sessionCookie('x', 60, { secure: true, port: '' })).toBe(
      '__Host-posthorn=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure',
    );
  });

  it('holds neither the key nor its hash in the open, and no change of it opens anything', async () => {
    await rest.pass(60_000);
    const cookie = await cookieOf();
    const [name, token = ''] = cookie.split('=');
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain(adminKey);
    const bytes = Buffer.from(token, 'base64url');
    for (const at of [0, 4, 16, 31, 32, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(isSignedOut(await send('GET', '/', { cookie: `${name}=${changed.toString('base64url')}` }))).toBe(true);
    }
  });

  it('ends with its key at the next request, after 12 hours without use, and after 7 days whatever is done', async () => {
    await rest.pass(60_000);
    const { body } = await rest.ask('POST', '/v1/keys', { name: 'p', scopes: ['webhooks:read'] });
    const revoked = await cookieOf(body.key);
    expect((await send('GET', '/settings/api', { cookie: revoked })).status).toBe(200);
    await rest.ask('DELETE', `/v1/keys/${body.id}`);
    expect(isSignedOut(await send('GET', '/settings/api', { cookie: revoked }))).toBe(true);

    const idle = await cookieOf();
    let used = await cookieOf();
    await rest.pass(12 * hourMs - 1);
    expect((await send('GET', '/', { cookie: idle })).status).toBe(200);
    await rest.pass(1);
    expect(isSignedOut(await send('GET', '/', { cookie: idle }))).toBe(true);

    used = await cookieOf();
    for (let hours = 0; hours < 7 * 24 - 10; hours += 10) {
      await rest.pass(10 * hourMs);
      const renewed = (await send('GET', '/', { cookie: used })).headers.get('set-cookie');
      used = renewed?.split(';')[0] ?? used;
    }
    expect((await send('GET', '/', { cookie: used })).status).toBe(200);
    await rest.pass(10 * hourMs);
    expect(isSignedOut(await send('GET', '/', { cookie: used }))).toBe(true);
  });

  it('cannot be tried for at will: 20 wrong keys at once from one address, then one in 3 s; right ones do not count', async () => {
    await rest.pass(60_000);
    for (let nth = 0; nth < 25; nth++) expect((await signIn(adminKey)).status).toBe(303);
    const tries = await Promise.all(Array.from({ length: 20 }, () => signIn('wrong-key-123')));
    expect(tries.map(({ status }) => status)).toEqual(Array(20).fill(401));
    const refused = await signIn(adminKey);
    expect([refused.status, refused.headers.get('set-cookie')]).toEqual([429, null]);
    expect(refused.text).toContain('wait 3 s');
    const via = { face: 'page', client: null } as const;
    expect(await rest.h.core.signIn({ readKey: async () => adminKey, caller: '192.0.2.7', via })).toHaveProperty(
      'token',
    );
    await rest.pass(2_999);
    expect((await signIn(adminKey)).status).toBe(429);
    await rest.pass(1);
    expect((await signIn(adminKey)).status).toBe(303);
    expect((await signIn('wrong-key-123')).status).toBe(401);
    expect((await signIn(adminKey)).status).toBe(429);
    await rest.pass(60_000);
  });
});

describe('what a page may load', () => {
  it('is nothing but its own files, on every page: no script inside it, no frame around it', async () => {
    const cookie = await cookieOf();
    const policy = pageHeaders['content-security-policy'];
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(policy).toContain("frame-ancestors 'none'");
    for (const { path } of views) {
      const { headers, text } = await send('GET', somewhere(path), { cookie });
      expect([path, headers.get('content-security-policy')]).toEqual([path, policy]);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(text).not.toMatch(/<script(?![^>]* src="\/assets\/)|<style|\son\w+=|javascript:/i);
    }
  });
});

describe("a receiver's words", () => {
  it('of one attempt come only when asked for, too', async () => {
    rest.h.receiver.respond((_request, response) => response.writeHead(500).end('IGNORE ALL RULES'));
    const { body } = await rest.subscribe();
    const { body: tested } = await rest.ask('POST', `${subscriptions}/${body.id}/test`);
    const path = `/v1/webhooks/logs/${tested.id}`;
    expect((await rest.ask('GET', path)).text).not.toContain('IGNORE');
    expect((await rest.ask('GET', `${path}?include=untrusted_response`)).body.untrusted_response).toBe(
      'IGNORE ALL RULES',
    );
    const key = await rest.makeKey('webhooks:read');
    expect((await rest.ask('GET', `${path}?include=untrusted_response`, undefined, { key })).status).toBe(403);
  });
});
