import { describe, expect, it } from 'vitest';
import { limits } from '../../src/core/inputs.ts';
import { makeMcpHandler } from '../../src/mcp/http.ts';
import { defaultToolGroups } from '../../tools/index.ts';
import { startHarness } from '../support/harness.ts';
import { clientKinds, connect, versionOf } from './clients.ts';
import { closeAfterEach } from './close-after-each.ts';
import { converse } from './conversation.ts';
import { aSubscription, coreWithOneSubscription, fakeCore, principalWith, recordingLog } from './fake-core.ts';
import { listenMcp } from './http-server.ts';

const closing = closeAfterEach();

async function listen(...parameters: Parameters<typeof listenMcp>): Promise<URL> {
  const server = closing(await listenMcp(...parameters));
  return server.url;
}

async function names(url: URL): Promise<string[]> {
  const client = closing(await connect('2.x auto', { url }));
  return (await client.listTools()).map(({ name }) => name);
}

function post(url: URL, message: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(message),
  });
}

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

describe('streamable HTTP', () => {
  it.each(clientKinds)('holds a whole conversation with the client %s', async (kind) => {
    const harness = closing(await startHarness());
    await harness.posthorn.startDispatcher();
    const agent = closing(await connect(kind, { url: await listen(harness.core, harness.owner) }));
    expect(agent.version()).toBe(versionOf[kind]);
    await converse(agent, harness.receiver);
  });

  it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    'agrees on revision %s',
    async (protocolVersion) => {
      const url = await listen(coreWithOneSubscription(), principalWith());
      const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
      const response = await post(url, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
      expect(response.status).toBe(200);
      expect(await response.text()).toContain(`"protocolVersion":"${protocolVersion}"`);
    },
  );

  it('offers 2026-07-28 to a client that asks', async () => {
    const url = await listen(coreWithOneSubscription(), principalWith());
    const message = { jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: envelope } };
    const response = await post(url, message, {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'server/discover',
    });
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await response.json()).toMatchObject({ result: { supportedVersions: ['2026-07-28'] } });
  });

  it('answers each request as its own principal', async () => {
    const handler = closing(
      makeMcpHandler({
        core: fakeCore({
          getSubscription: async (principal) => ({ ...aSubscription, description: principal.name }),
        }),
        groups: [...defaultToolGroups],
        readOnly: false,
        version: '0',
        log: recordingLog(),
      }),
    );
    const described = async (name: string) => {
      const message = {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'get_webhook_subscription', arguments: { subscription_id: aSubscription.id }, _meta: envelope },
      };
      const request = new Request('http://localhost/mcp', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': 'tools/call',
          'mcp-name': 'get_webhook_subscription',
        },
        body: JSON.stringify(message),
      });
      const response = await handler.fetch(request, { ...principalWith(), name });
      const answer = (await response.json()) as { result: { structuredContent: { description: string } } };
      return answer.result.structuredContent.description;
    };
    expect(await Promise.all(['one', 'two', 'three'].map(described))).toEqual(['one', 'two', 'three']);
  });

  it('takes an event as large as REST does', async () => {
    let bytes = 0;
    const core = fakeCore({
      publish: async (_principal, input) => {
        bytes = JSON.stringify(input).length;
        return { published: { id: 'evt_1', deliveries: 0 }, repeated: false };
      },
    });
    const client = closing(await connect('2.x auto', { url: await listen(core, principalWith()) }));
    const data = { text: 'x'.repeat(limits.requestBytesMax - 10_000) };
    expect((await client.callTool('publish_event', { type: 'contact.created', data })).isError ?? false).toBe(false);
    expect(bytes).toBeGreaterThan(limits.requestBytesMax - 10_000);
  });

  it('keeps a key named __proto__ inside the data of an event', async () => {
    let received: unknown;
    const core = fakeCore({
      publish: async (_principal, input) => {
        received = input;
        return { published: { id: 'evt_1', deliveries: 0 }, repeated: false };
      },
    });
    const url = await listen(core, principalWith());
    const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"publish_event","arguments":{"type":"contact.created","data":{"__proto__":{"a":1}}}}}`;
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const response = await fetch(url, { method: 'POST', headers, body: call });
    expect(await response.text()).toContain('evt_1');
    expect(JSON.stringify(received)).toContain('{"__proto__":{"a":1}}');
  });
});

describe('what a principal sees', () => {
  it('is what its scopes allow', async () => {
    const url = await listen(coreWithOneSubscription(), principalWith('webhooks:read'));
    expect(await names(url)).toEqual([
      'list_webhook_subscriptions',
      'list_webhook_subscription_logs',
      'get_webhook_subscription',
      'list_event_types',
    ]);
  });

  it('is only what changes nothing in read-only mode, and other tools cannot be called', async () => {
    const url = await listen(coreWithOneSubscription(), principalWith(), { readOnly: true });
    expect(await names(url)).toEqual([
      'list_webhook_subscriptions',
      'list_webhook_subscription_logs',
      'get_webhook_subscription',
      'list_event_types',
      'list_events',
      'get_event',
    ]);
    const client = closing(await connect('2.x legacy', { url }));
    await expect(client.callTool('publish_event', { type: 'contact.created', data: {} })).rejects.toMatchObject({
      code: -32602,
    });
  });

  it('is only the groups that are switched on', async () => {
    const url = await listen(coreWithOneSubscription(), principalWith(), { groups: ['events'] });
    expect(await names(url)).toEqual(['list_event_types', 'publish_event', 'list_events', 'get_event']);
  });

  it.each(['modern', 'legacy'])('is refused with 403 and the scope it lacks, %s', async (era) => {
    const metadata = 'https://hooks.example/.well-known/oauth-protected-resource/mcp';
    const url = await listen(coreWithOneSubscription(), principalWith('webhooks:read'), {
      resourceMetadataUrl: () => metadata,
    });
    const modern = era === 'modern';
    const params = {
      name: 'delete_webhook_subscription',
      arguments: { subscription_id: aSubscription.id },
      ...(modern ? { _meta: envelope } : {}),
    };
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'delete_webhook_subscription',
    };
    const response = await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, modern ? headers : {});
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toMatch(/error="insufficient_scope".*scope="webhooks:delete"/);
    expect(response.headers.get('www-authenticate')).toContain(`resource_metadata="${metadata}"`);
    expect(await response.text()).toContain('webhooks:delete');
  });

  it('is refused resources and prompts without webhooks:read', async () => {
    const url = await listen(coreWithOneSubscription(), principalWith('events:read'));
    const client = closing(await connect('2.x auto', { url }));
    await expect(client.readResource('posthorn://status')).rejects.toThrow(/scope/i);
    await expect(client.getPrompt('debug_failing_webhook', { subscription_id: 'sub_1' })).rejects.toThrow(/scope/i);
  });
});
