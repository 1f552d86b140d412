import { describe, expect, it } from 'vitest';
import type { Principal } from '../../src/core/types.ts';
import { fakeApp, keyWith, problemOf } from './fake-core.ts';

interface Seen {
  method: string;
  body: string;
  contentType: string | null;
  principal: Principal;
}

function mcpApp(respond: () => Response = () => new Response('{}')) {
  const seen: Seen[] = [];
  const mcp = async (request: Request, principal: Principal) => {
    const { method, headers } = request;
    seen.push({ method, body: await request.text(), contentType: headers.get('content-type'), principal });
    return respond();
  };
  return { ...fakeApp({}, { mcp }), seen };
}

describe('/mcp', () => {
  it('hands on the request and who sent it', async () => {
    const { ask, seen } = mcpApp();
    await ask('POST', '/mcp', { key: keyWith('events:read'), body: '{"jsonrpc":"2.0"}' });
    expect(seen).toMatchObject([{ method: 'POST', body: '{"jsonrpc":"2.0"}', contentType: 'application/json' }]);
    expect([...(seen[0]?.principal.scopes ?? [])]).toEqual(['events:read']);
  });

  it.each(['GET', 'DELETE', 'POST'])('takes %s', async (method) => {
    const { ask, seen } = mcpApp();
    expect((await ask(method, '/mcp')).status).toBe(200);
    expect(seen.map((one) => one.method)).toEqual([method]);
  });

  it('keeps the status and headers of the answer and adds its own', async () => {
    const { ask } = mcpApp(
      () =>
        new Response('data: 1\n\n', {
          status: 202,
          headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' },
        }),
    );
    const response = await ask('POST', '/mcp', { body: '{}' });
    expect(response.status).toBe(202);
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.any(String),
    });
  });

  it('without a key answers 401 and tells where its metadata stand', async () => {
    const { ask, seen } = mcpApp();
    const response = await ask('POST', '/mcp', { key: null, body: '{}' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer realm="TrustPager", scope="webhooks:read webhooks:write webhooks:delete events:read events:write", ' +
        'resource_metadata="https://hooks.example.com/.well-known/oauth-protected-resource/mcp"',
    );
    expect(seen).toEqual([]);
  });

  it('refuses a body over 5 MiB', async () => {
    const { ask, seen } = mcpApp();
    const response = await ask('POST', '/mcp', { body: ' '.repeat(5 * 1024 * 1024 + 1) });
    expect(await problemOf(response)).toMatchObject({ status: 413, code: 'payload_too_large' });
    expect(seen).toEqual([]);
  });

  it('answers 500 without a detail when MCP itself fails', async () => {
    const { ask, lines } = mcpApp(() => {
      throw new Error('hush');
    });
    const response = await ask('POST', '/mcp', { body: '{}' });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('hush');
    expect(lines[0]?.level).toBe('error');
  });
});
