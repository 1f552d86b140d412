import { describe, expect, it } from 'vitest';
import { makeHostGuard } from '../../src/http/hosts.ts';
import { fakeApp, problemOf } from './fake-core.ts';

/** What the router itself knows, so that nobody can add a route past this, and what it does not know. */
const { app } = fakeApp({}, { metrics: { token: null, page: async () => ({ text: '', contentType: 'text/plain' }) } });
const everyPath = [
  ...app.routes.map(({ method, path }): [string, string] => [method, path.replaceAll(/:\w+/g, 'id_1')]),
  ['GET', '/nothing/here'],
  ['OPTIONS', '/v1/events'],
] as [string, string][];

describe('host and origin', () => {
  it.each(everyPath)('%s %s is refused to a foreign host', async (method, path) => {
    const { ask, calls } = fakeApp();
    const response = await ask(method, path, { headers: { host: 'rebound.example.net' } });
    expect(await problemOf(response)).toEqual({ status: 403, code: 'host_not_allowed', paths: [] });
    expect(calls).toEqual([]);
  });

  it.each(everyPath)('%s %s is refused to a foreign origin', async (method, path) => {
    const { ask, calls } = fakeApp();
    const response = await ask(method, path, { headers: { host: 'localhost', origin: 'https://evil.example.net' } });
    expect(await problemOf(response)).toEqual({ status: 403, code: 'host_not_allowed', paths: [] });
    expect(calls).toEqual([]);
  });

  const guard = makeHostGuard(
    ['localhost', '127.0.0.1', '::1', 'Hooks.Internal:8443', '[2001:db8::5]'],
    'https://hooks.example.com:8443/x',
  );
  const passes = (headers: Record<string, string>) => {
    try {
      guard(new Request('http://elsewhere.example.net/', { headers }));
      return true;
    } catch {
      return false;
    }
  };

  it.each([
    'localhost',
    'LOCALHOST:1234',
    '127.0.0.1:8787',
    '[::1]',
    '[::1]:8787',
    '[0:0:0:0:0:0:0:1]:80',
    '[2001:DB8:0::5]',
    'hooks.internal',
    'hooks.example.com',
    'hooks.example.com:443',
  ])('the host %s is ours', (host) => {
    expect(passes({ host })).toBe(true);
    expect(passes({ host, origin: `https://${host}` })).toBe(true);
  });

  it.each([
    '',
    'example.com',
    'localhost.example.net',
    'xlocalhost',
    'localhost:80:80',
    'localhost:',
    'localhost/',
    'user@localhost',
    'localhost#',
    'localhost, evil.example.net',
    '::1',
    '[::2]',
    '[::1',
    '127.0.0.2',
    'hooks.example.com.evil.example.net',
  ])('the host %s is not', (host) => {
    expect(passes({ host })).toBe(false);
  });

  it.each([
    'null',
    '',
    'localhost',
    'localhost:8787',
    'file://',
    'data:,x',
    'javascript:alert(1)',
    'chrome-extension://localhost',
    'https://localhost.example.net',
    'https://localhost@example.net',
    'http://127.0.0.2',
  ])('the origin %s is not', (origin) => {
    expect(passes({ host: 'localhost', origin })).toBe(false);
  });

  it('without a Host header the URL tells the host', () => {
    expect(() => guard(new Request('http://localhost:1/'))).not.toThrow();
    expect(() => guard(new Request('http://elsewhere.example.net/'))).toThrow(/Host header/);
  });

  it('goes on refusing after it has seen many hosts', () => {
    for (let port = 1; port < 200; port++) expect(passes({ host: `localhost:${port}` })).toBe(true);
    expect(passes({ host: 'example.net:5' })).toBe(false);
  });

  it('an allowed host that is none stops the start', () => {
    expect(() => makeHostGuard(['not a host'], 'http://localhost')).toThrow(TypeError);
  });
});
