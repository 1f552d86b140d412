import { describe, expect, it } from 'vitest';
import { fakeApp } from './fake-core.ts';

describe('routes without a key', () => {
  it('/healthz answers while the process lives', async () => {
    const { ask } = fakeApp({}, { ready: async () => 'the store does not answer' });
    const response = await ask('GET', '/healthz', { key: null });
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('/readyz answers 200 when ready, else 503 with the reason', async () => {
    let reason: string | null = null;
    const { ask } = fakeApp({}, { ready: async () => reason });
    const good = await ask('GET', '/readyz', { key: null });
    reason = 'No process delivers.';
    const bad = await ask('GET', '/readyz', { key: null });
    expect([good.status, await good.json()]).toEqual([200, { status: 'ready' }]);
    expect([bad.status, await bad.json()]).toEqual([503, { status: 'not_ready', reason: 'No process delivers.' }]);
  });

  it('/readyz answers 503 when the check itself fails, and tells nothing of it', async () => {
    const ready = async () => {
      throw new Error('password wrong');
    };
    const { ask, lines } = fakeApp({}, { ready });
    const response = await ask('GET', '/readyz', { key: null });
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('password');
    expect(lines[0]).toMatchObject({ level: 'error', message: 'readiness check failed' });
  });

  it('health is logged for debugging only', async () => {
    const { ask, lines } = fakeApp();
    await ask('GET', '/healthz', { key: null });
    expect(lines.map(({ level }) => level)).toEqual(['debug']);
  });

  it('/ points to the document', async () => {
    const { ask } = fakeApp();
    const response = await ask('GET', '/', { key: null });
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toContain('https://hooks.example.com/v1/openapi.json');
  });

  it.each(['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'])(
    '%s tells what /mcp asks',
    async (path) => {
      const { ask } = fakeApp();
      expect(await (await ask('GET', path, { key: null })).json()).toMatchObject({
        resource: 'https://hooks.example.com/mcp',
        bearer_methods_supported: ['header'],
      });
    },
  );
});
