import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorTable, PosthornError } from '../../src/core/errors.ts';
import { explain } from '../../src/mcp/explain.ts';
import { type AnyClient, connect } from './clients.ts';
import { closeAfterEach } from './close-after-each.ts';
import { errorOf } from './conversation.ts';
import { aSubscription, fakeCore, notFound, principalWith, recordingLog } from './fake-core.ts';
import { listenMcp } from './http-server.ts';

const closing = closeAfterEach();

async function clientOf(...parameters: Parameters<typeof listenMcp>): Promise<AnyClient> {
  const server = closing(await listenMcp(...parameters));
  const client = closing(await connect('2.x auto', { url: server.url }));
  return client;
}

describe('a tool that fails', () => {
  it('answers the code first, then what was wrong, then what to do', async () => {
    const client = await clientOf(fakeCore({ getSubscription: () => Promise.reject(notFound()) }), principalWith());
    const answer = await client.callTool('get_webhook_subscription', { subscription_id: 'sub_none' });
    expect(errorOf(answer)).toBe(
      'not_found: There is no such subscription in this workspace.\n' +
        'Check the id: lists show the ids that exist in this workspace.',
    );
  });

  it('names every wrong argument, and core is not asked', async () => {
    const client = await clientOf(fakeCore({}), principalWith());
    const answer = await client.callTool('create_webhook_subscription', { events: [], colour: 'red' });
    const lines = errorOf(answer).split('\n');
    expect(lines[0]).toMatch(/^validation_failed: \/url: .* \(and 2 more\)$/);
    expect(lines).toContain('errors:');
    expect(lines).toContain('- /colour: is not a field of this request');
    expect(lines.some((line) => line.startsWith('- /events: '))).toBe(true);
    expect(lines.at(-1)).toBe(errorTable.validation_failed.advice);
  });

  it('shows no word of an unknown error, but where to look for it', async () => {
    const log = recordingLog();
    const failure = new Error('ENOENT /home/operator/secret.key whsec_c2VjcmV0');
    const client = await clientOf(fakeCore({ listEvents: () => Promise.reject(failure) }), principalWith(), { log });
    const text = errorOf(await client.callTool('list_events'));
    expect(text).toMatch(/^internal: Posthorn failed, request id [0-9a-f-]{36}\./);
    expect(text).not.toMatch(/secret|home|ENOENT/);
    const requestId = /request id ([0-9a-f-]+)/.exec(text)?.[1];
    expect(log.lines).toContainEqual({
      level: 'error',
      facts: { request_id: requestId, err: failure },
      message: 'an MCP request failed',
    });
  });

  it('shows nothing of an answer that does not fit its own schema', async () => {
    const log = recordingLog();
    const broken = { ...aSubscription, failure_count: 'whsec_c2VjcmV0' as unknown as number };
    const client = await clientOf(fakeCore({ getSubscription: async () => broken }), principalWith(), { log });
    const text = errorOf(await client.callTool('get_webhook_subscription', { subscription_id: 'sub_1' }));
    expect(text).toMatch(/^internal: /);
    expect(text).not.toMatch(/failure_count|whsec/);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('leaves out what its output schema does not name', async () => {
    const more = { ...aSubscription, secret: 'whsec_c2VjcmV0' };
    const client = await clientOf(fakeCore({ getSubscription: async () => more }), principalWith());
    const answer = await client.callTool('get_webhook_subscription', { subscription_id: 'sub_1' });
    expect(answer.structuredContent).toEqual(aSubscription);
    expect(answer.content[0]?.text).not.toContain('whsec');
  });
});

describe('an error in words', () => {
  it.each(Object.keys(errorTable) as ErrorCode[])(
    '%s begins with its code and holds the advice of the table',
    (code) => {
      const { text } = explain(new PosthornError(code, 'This was wrong.'), recordingLog());
      const said = code === 'internal' ? 'Posthorn failed, request id ' : 'This was wrong.\n';
      expect(text.startsWith(`${code}: ${said}`)).toBe(true);
      expect(text).toContain(errorTable[code].advice);
    },
  );

  it('says how long to wait', () => {
    const error = new PosthornError('rate_limited', 'Too many events.', { retryAfterSeconds: 7 });
    expect(explain(error, recordingLog()).text).toMatch(/Retry after 7 seconds\.$/);
  });

  it('takes a thrown string for an unknown error', () => {
    expect(explain('whsec_c2VjcmV0', recordingLog())).toMatchObject({
      code: 'internal',
      text: expect.not.stringContaining('whsec'),
    });
  });
});

describe('resources and prompts that fail', () => {
  it('answer a protocol error with the code', async () => {
    const client = await clientOf(fakeCore({ getSubscription: () => Promise.reject(notFound()) }), principalWith());
    await expect(client.readResource('posthorn://subscriptions/sub_none')).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('posthorn://subscriptions/sub_none'),
    });
    await expect(client.readResource('posthorn://nothing')).rejects.toMatchObject({ code: -32602 });
    await expect(client.getPrompt('debug_failing_webhook', { subscription_id: 'sub_none' })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringMatching(/^not_found: /),
    });
  });

  it('show no word of an unknown error', async () => {
    const client = await clientOf(fakeCore({}), principalWith());
    await expect(client.readResource('posthorn://status')).rejects.toMatchObject({
      code: -32603,
      message: expect.stringMatching(/^internal: Posthorn failed, request id /),
    });
    expect(await client.complete({ type: 'ref/prompt', name: 'debug_failing_webhook' }, 'subscription_id', '')).toEqual(
      [],
    );
  });
});
