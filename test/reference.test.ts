import { createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attempt, subscription, webhookConfig } from '../src/core/types.ts';
import { toolGroups } from '../src/core/vocabulary.ts';
import { routes } from '../src/http/api/routes.ts';
import { packageRoot } from '../src/package.ts';
import { tools } from '../tools/index.ts';
import { type Rest, startRest, subscriptions } from './contract/rest.ts';
import { connect } from './mcp/clients.ts';
import { resultOf } from './mcp/conversation.ts';
import type { Received } from './support/receiver.ts';
import { until } from './support/until.ts';

/** What docs/reference-coverage.md claims, in the words and with the values of the document that it goes through. */

let rest: Rest;
beforeAll(async () => {
  rest = await startRest({
    environment: {
      POSTHORN_TOOLS: toolGroups.join(),
      POSTHORN_DISABLE_AFTER_FAILURES: '2',
      POSTHORN_DISABLE_AFTER: '0s',
    },
  });
  await rest.h.posthorn.startDispatcher();
});
afterAll(() => rest.close());

const secret = 'your-signing-secret';
const at = (path: string) => rest.h.receiver.requests.filter((request) => request.path === path);
const arrived = async (path: string, count = 1): Promise<Received[]> => {
  await until(() => at(path).length >= count);
  return at(path);
};
const publish = (type: string, data: object = { id: 'x_1' }) => rest.publish({ type, data });

/** As a receiver does it that was written from the document. */
function verifies({ body, headers }: Received, key: string): boolean {
  const expected = createHmac('sha256', key).update(body).digest('hex');
  const given = Buffer.from(String(headers['x-trustpager-signature']));
  return given.length === expected.length && timingSafeEqual(Buffer.from(expected), given);
}

describe('a subscription as the reference makes it', () => {
  const input = (path: string) => ({
    url: `${rest.h.receiver.url}${path}`,
    events: ['opportunity.updated', 'contact.created', 'form.submitted'],
    secret,
  });

  /** The id of the subscription; no answer shows a secret that was given. */
  const make: Record<string, (path: string) => Promise<{ id: string; secret?: string }>> = {
    REST: async (path) => (await rest.ask('POST', '/v1/webhooks/subscribe', input(path))).body,
    async MCP(path) {
      const headers = { authorization: `Bearer ${await rest.makeKey('webhooks:write')}` };
      const agent = await connect('2.x auto', { url: new URL(`${rest.base}/mcp`), headers });
      const answer = await agent.callTool('create_webhook_subscription', input(path));
      await agent.close();
      return resultOf(answer);
    },
  };

  it.each(Object.keys(make))('over %s gets each of its events and no other, signed with the secret', async (face) => {
    const path = `/trustpager-events-${face}`;
    const { id, secret: shown } = (await make[face]?.(path)) ?? { id: '' };
    expect(shown).toBeUndefined();
    for (const type of [...input(path).events, 'contact.deleted']) await publish(type, { name: 'Ada' });
    const requests = await arrived(path, 3);
    expect(requests.map(({ headers }) => String(headers['x-trustpager-event'])).toSorted()).toEqual(
      input(path).events.toSorted(),
    );
    for (const request of requests) {
      expect(request.headers['content-type']).toBe('application/json');
      expect(JSON.parse(request.body)).toMatchObject({ data: { name: 'Ada' } });
      expect([verifies(request, secret), verifies(request, 'another')]).toEqual([true, false]);
    }
    await rest.logOf(id, 3);
    expect(at(path)).toHaveLength(3);
    await rest.ask('DELETE', `${subscriptions}/${id}`);
  });

  it('retries what is not 2xx, logs every attempt, and is flagged after repeated failures', async () => {
    rest.h.receiver.respond((request, response) => response.writeHead(request.path === '/broken' ? 500 : 204).end());
    const { body } = await rest.ask('POST', '/v1/webhooks/subscribe', input('/broken'));
    await publish('form.submitted');
    const [first] = await rest.logOf(body.id, 1);
    expect(first).toMatchObject({
      event_type: 'form.submitted',
      attempt: 1,
      response_code: 500,
      duration_ms: expect.any(Number),
      error_message: expect.any(String),
      next_attempt_at: expect.any(String),
    });
    await publish('form.submitted');
    await until(async () => (await rest.ask('GET', `${subscriptions}/${body.id}`)).body.status === 'disabled');
    expect((await rest.ask('GET', `${subscriptions}/${body.id}`)).body).toMatchObject({
      disabled_reason: 'repeated_failures',
      failure_count: 2,
      last_delivered_at: null,
    });
  });
});

describe('a webhook config as the reference makes it', () => {
  const make = async (path: string, more: object = {}) => {
    const config = {
      name: 'Push to custom CRM',
      url: `${rest.h.receiver.url}${path}`,
      headers: { Authorization: 'Bearer your-token' },
      trigger_events: [],
      include_trigger_data: true,
      ...more,
    };
    const { status, body } = await rest.ask('POST', '/v1/webhooks/configs', config);
    expect(status).toBe(201);
    return body as { id: string; secret: string };
  };
  const configLog = async (id: string) => (await rest.ask('GET', `/v1/webhooks/configs/${id}/logs`)).body.data;

  it('fires on its trigger events, with its headers, and with the data or without', async () => {
    const whole = await make('/whole', { trigger_events: ['task.completed'] });
    await make('/bare', { trigger_events: ['task.*'], include_trigger_data: false });
    await publish('task.completed', { title: 'Send the offer' });
    const [[withData], [withoutData]] = [await arrived('/whole'), await arrived('/bare')];
    expect(withData?.headers).toMatchObject({ authorization: 'Bearer your-token', 'content-type': 'application/json' });
    expect(JSON.parse(withData?.body ?? '')).toMatchObject({
      type: 'task.completed',
      data: { title: 'Send the offer' },
    });
    expect(JSON.parse(withoutData?.body ?? '')).toEqual({
      id: expect.any(String),
      type: 'task.completed',
      timestamp: expect.any(String),
    });
    expect(withData !== undefined && verifies(withData, whole.secret)).toBe(true);
  });

  it('is an action that any automation can use, as often as there are automations', async () => {
    const { id } = await make('/action');
    for (const trigger_event of ['call.missed', 'appointment.booked']) {
      const actions = [{ type: 'webhook', config_id: id }];
      const automation = { name: `On ${trigger_event}`, trigger_event, actions, enabled: true };
      expect((await rest.ask('POST', '/v1/automations', automation)).status).toBe(201);
    }
    await publish('call.missed');
    await publish('appointment.booked');
    await publish('call.started');
    const requests = await arrived('/action', 2);
    expect(requests.map(({ headers }) => String(headers['x-trustpager-event'])).toSorted()).toEqual([
      'appointment.booked',
      'call.missed',
    ]);
  });

  it('is tested before it is wired, and its log shows tests and live deliveries alike', async () => {
    const { id } = await make('/tested', { trigger_events: ['company.created'] });
    const { status, body } = await rest.ask('POST', `/v1/webhooks/configs/${id}/test`);
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ response_code: 204, duration_ms: expect.any(Number), error: null, is_test: true }),
    ]);
    await publish('company.created');
    await until(async () => (await configLog(id)).length === 2);
    expect(await configLog(id)).toMatchObject([
      { url: `${rest.h.receiver.url}/tested`, event_type: 'company.created', response_code: 204, is_test: false },
      { url: `${rest.h.receiver.url}/tested`, response_code: 204, is_test: true },
    ]);
    const everything = (await rest.ask('GET', '/v1/webhooks/logs?limit=200')).body.data as { endpoint_id: string }[];
    expect(everything.filter(({ endpoint_id }) => endpoint_id === id)).toEqual(await configLog(id));
  });
});

describe('scopes as the reference names them', () => {
  it.each(['/v1/webhooks/subscriptions', '/v1/webhooks/configs'])(
    'write to create and update, read to list and to see logs, delete to delete: %s',
    async (path) => {
      const [read, write, remove] = await Promise.all(
        (['webhooks:read', 'webhooks:write', 'webhooks:delete'] as const).map((scope) => rest.makeKey(scope)),
      );
      const url = `${rest.h.receiver.url}/scopes`;
      const [create, input] = path.endsWith('configs')
        ? [path, { name: 'x', url, trigger_events: [] }]
        : ['/v1/webhooks/subscribe', { url, events: ['*'] }];
      const status = async (key: string | undefined, method: string, route: string, body?: object) =>
        (await rest.ask(method, route, body, { key: key ?? null })).status;
      expect(await status(read, 'POST', create, input)).toBe(403);
      const { id } = (await rest.ask('POST', create, input, { key: write ?? null })).body;
      expect(await status(remove, 'GET', `${path}/${id}`)).toBe(403);
      expect(await status(write, 'DELETE', `${path}/${id}`)).toBe(403);
      expect(await status(read, 'PATCH', `${path}/${id}`, { url })).toBe(403);
      expect(await status(write, 'PATCH', `${path}/${id}`, { url })).toBe(200);
      for (const route of [path, `${path}/${id}`, `${path}/${id}/logs`])
        expect(await status(read, 'GET', route)).toBe(200);
      expect(await status(remove, 'DELETE', `${path}/${id}`)).toBe(204);
    },
  );
});

describe('docs/reference-coverage.md', () => {
  const text = readFileSync(join(packageRoot, 'docs/reference-coverage.md'), 'utf8');
  const named = [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');

  it('names tests that are there', () => {
    const tests = named.filter((name) => name.startsWith('test/'));
    expect(tests.length).toBeGreaterThan(20);
    const missing = tests.filter((name) => {
      const [path = '', title = ''] = name.split(' › ');
      const file = join(packageRoot, path);
      return !existsSync(file) || !readFileSync(file, 'utf8').includes(title);
    });
    expect(missing).toEqual([]);
  });

  it('names routes, tools and fields that are there', () => {
    const served = new Set(routes.map(({ method, path }) => `${method} ${path}`));
    const asked = named.filter((name) => /^(GET|POST|PATCH|PUT|DELETE) /.test(name));
    expect(asked.filter((name) => !served.has(name))).toEqual([]);
    const known = new Set([
      ...tools.map(({ name }) => name),
      ...[subscription, webhookConfig, attempt].flatMap(({ shape }) => Object.keys(shape)),
    ]);
    const words = named.filter((name) => /^[a-z]+(_[a-z]+)+$/.test(name));
    expect(words.filter((name) => !known.has(name))).toEqual([]);
    expect([asked.length > 10, words.length > 10]).toEqual([true, true]);
  });
});
