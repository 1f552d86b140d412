import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopes } from '../../src/core/vocabulary.ts';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { errorOf, resultOf } from '../mcp/conversation.ts';
import { answering, type Case, makeCases } from './cases.ts';
import { type Rest, startRest, subscriptions } from './rest.ts';

let rest: Rest;
let agent: AnyClient;
let one: Case;
let deliveryId = '';
beforeAll(async () => {
  rest = await startRest();
  one = await makeCases(rest)(answering(500, {}, 'words of a stranger'));
  await rest.h.posthorn.startDispatcher();
  await one.publish('evt-1');
  const [row] = await one.log(1);
  deliveryId = row?.delivery_id ?? '';
  const headers = { authorization: `Bearer ${await rest.makeKey(...scopes)}` };
  agent = await connect('2.x auto', { url: new URL(`${rest.base}/mcp`), headers });
});
afterAll(async () => {
  await agent.close();
  await rest.close();
});

const call = async (name: string, args: object = {}): Promise<unknown> =>
  resultOf(await agent.callTool(name, args as Record<string, unknown>));
const get = async (path: string) => (await rest.ask('GET', path)).body;
const mine = () => ({ subscription_id: one.id });

describe('MCP answers what REST answers', () => {
  it('for single objects, at the top level', async () => {
    expect(await call('get_webhook_subscription', mine())).toEqual(await get(`${subscriptions}/${one.id}`));
    expect(await call('get_event', { event_id: 'evt-1' })).toEqual(await get('/v1/events/evt-1'));
  });

  it.each([
    ['list_webhook_subscriptions', 'subscriptions', {}, subscriptions],
    ['list_events', 'events', {}, '/v1/events'],
    ['list_event_types', 'event_types', { limit: 200 }, '/v1/event-types?limit=200'],
  ] as const)('for the list of %s, under its own name', async (tool, name, args, path) => {
    const { data, next_cursor } = await get(path);
    expect(await call(tool, args)).toEqual({ [name]: data, next_cursor });
  });

  it('for the log, the words of receivers only when asked', async () => {
    const path = `${subscriptions}/${one.id}/logs`;
    const plain = await get(path);
    expect(await call('list_webhook_subscription_logs', mine())).toEqual({ logs: plain.data, next_cursor: null });
    const asked = await get(`${path}?include=untrusted_response`);
    const told = await call('list_webhook_subscription_logs', { ...mine(), include_untrusted_response: true });
    expect(told).toEqual({ logs: asked.data, next_cursor: null });
    expect([JSON.stringify(plain).includes('stranger'), JSON.stringify(told).includes('stranger')]).toEqual([
      false,
      true,
    ]);
  });

  it('for what was changed', async () => {
    const args = { url: `${rest.h.receiver.url}/mcp`, events: ['form.submitted'], description: 'by an agent' };
    const made = (await call('create_webhook_subscription', args)) as { id: string; secret: string };
    const { secret, ...shown } = made;
    expect(secret).toMatch(/^whsec_/);
    expect(await get(`${subscriptions}/${made.id}`)).toEqual(shown);
    const of = { subscription_id: made.id };
    expect(await call('update_webhook_subscription', { ...of, status: 'paused' })).toEqual(
      await get(`${subscriptions}/${made.id}`),
    );
    const tested = await call('test_webhook_subscription', of);
    expect(tested).toEqual((await get(`${subscriptions}/${made.id}/logs`)).data[0]);
    await call('delete_webhook_subscription', of);
    expect((await rest.ask('GET', `${subscriptions}/${made.id}`)).status).toBe(404);
  });
});

describe('MCP refuses what REST refuses, with the same code and sentence', () => {
  const since = '2026-01-01T00:00:00Z';
  const url = 'https://10.0.0.1/';
  it.each([
    ['create_webhook_subscription', { url, events: ['*'] }, 'POST', '/v1/webhooks/subscribe'],
    ['create_webhook_subscription', { url: '', events: [] }, 'POST', '/v1/webhooks/subscribe'],
    ['create_webhook_subscription', { url, events: ['contact.create'] }, 'POST', '/v1/webhooks/subscribe'],
    ['publish_event', { type: 'contact.create', data: {} }, 'POST', '/v1/events'],
    ['publish_event', { type: 'contact.created', data: [] }, 'POST', '/v1/events'],
    ['publish_event', { type: 'contact.created', data: {}, id: 'evt-1' }, 'POST', '/v1/events'],
    ['get_event', { event_id: 'nobodys' }, 'GET', '/v1/events/nobodys'],
    ['retry_webhook_delivery', { delivery_id: 'dlv_1' }, 'POST', '/v1/deliveries/dlv_1/retry'],
    ['replay_webhook_deliveries', { subscription_id: 'sub_1', since }, 'POST', `${subscriptions}/sub_1/replay`],
    ['list_events', { limit: 201 }, 'GET', '/v1/events?limit=201'],
    ['list_events', { cursor: 'abc' }, 'GET', '/v1/events?cursor=abc'],
  ] as const)('%s %j', async (tool, args, method, path) => {
    const text = errorOf(await agent.callTool(tool, args));
    const { subscription_id: _, ...body } = args as Record<string, unknown>;
    const hasBody = method === 'POST' && !path.endsWith('/retry');
    const { body: problem } = await rest.ask(method, path, hasBody ? body : undefined);
    expect(text.split('\n')[0]).toBe(`${problem.code}: ${problem.detail}`);
  });

  it('retry_webhook_delivery of an endpoint that is not active', async () => {
    await one.patch({ status: 'paused' });
    const text = errorOf(await agent.callTool('retry_webhook_delivery', { delivery_id: deliveryId }));
    const { body } = await rest.ask('POST', `/v1/deliveries/${deliveryId}/retry`);
    expect(text.split('\n')[0]).toBe(`${body.code}: ${body.detail}`);
    await one.patch({ status: 'active' });
  });
});

describe('lists of MCP', () => {
  it.each(['list_webhook_subscriptions', 'list_webhook_subscription_logs', 'list_events', 'list_event_types'])(
    '%s takes a limit of 1 to 200',
    async (tool) => {
      const of = tool.endsWith('logs') ? mine() : {};
      const isTaken = async (limit: number) => (await agent.callTool(tool, { ...of, limit })).isError !== true;
      expect(await Promise.all([1, 200, 0, 201].map(isTaken))).toEqual([true, true, false, false]);
    },
  );
});
