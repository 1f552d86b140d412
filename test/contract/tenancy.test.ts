import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { scopes } from '../../src/core/vocabulary.ts';
import { tools } from '../../tools/index.ts';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { errorOf } from '../mcp/conversation.ts';
import { adminKey, configs, type Rest, startRest, subscriptions } from './rest.ts';

let rest: Rest;
let agent: AnyClient;
/** Of another workspace, with every scope. */
let stranger = '';
/** Of this workspace, by the collection in the path. */
let ids: Record<string, string> = {};
const never: Record<string, string> = {
  logs: 'att_00000000009',
  subscriptions: 'sub_00000000000000000000000000',
  configs: 'cfg_00000000000000000000000000',
  automations: 'aut_00000000000000000000000000',
  events: 'no-such-event',
  deliveries: 'dlv_0000000vvvv',
  keys: 'key_00000000000000000000000000',
};
/** What an id of each name in a tool's arguments belongs to. */
const kindOfField: Record<string, string> = {
  subscription_id: 'subscriptions',
  config_id: 'configs',
  automation_id: 'automations',
  delivery_id: 'deliveries',
  event_id: 'events',
};
const bodies: Record<string, object> = {
  updateSubscription: { status: 'paused' },
  updateConfig: { status: 'paused' },
  updateAutomation: { enabled: false },
  replayConfig: { since: '2026-01-01T00:00:00Z' },
  replaySubscription: { since: '2026-01-01T00:00:00Z' },
};

beforeAll(async () => {
  rest = await startRest({ environment: { POSTHORN_TOOLS: 'subscriptions,events,configs,automations' } });
  const { h } = rest;
  await h.posthorn.operator.createWorkspace('other');
  const owner = await h.posthorn.operator.principal('other');
  stranger = (await h.core.createKey(owner, { name: 'stranger', scopes: [...scopes] })).key;
  const { body: subscription } = await rest.subscribe();
  await h.posthorn.startDispatcher();
  await rest.publish({ id: 'ours' });
  await rest.logOf(subscription.id, 1);
  const { body: event } = await rest.ask('GET', '/v1/events/ours');
  const { body: key } = await rest.ask('POST', '/v1/keys', { name: 'ours', scopes: ['events:read'] });
  const { body: config } = await rest.ask('POST', configs, { name: 'ours', url: h.receiver.url });
  const { body: automation } = await rest.ask('POST', '/v1/automations', {
    name: 'ours',
    trigger_event: 'call.missed',
    actions: [{ type: 'webhook', config_id: config.id }],
  });
  ids = {
    subscriptions: subscription.id,
    configs: config.id,
    automations: automation.id,
    events: event.id,
    deliveries: event.deliveries[0].id,
    logs: (await rest.logOf(subscription.id, 1))[0]?.id ?? '',
    keys: key.id,
  };
  const place = { url: new URL(`${rest.base}/mcp`), headers: { authorization: `Bearer ${stranger}` } };
  agent = await connect('2.x auto', place);
});
afterAll(async () => {
  await agent.close();
  await rest.close();
});

/** What stands here, in the eyes of its owner. */
const ours = async () =>
  Promise.all([
    rest.ask('GET', `${subscriptions}/${ids['subscriptions']}`),
    rest.ask('GET', `${configs}/${ids['configs']}`),
    rest.ask('GET', `/v1/automations/${ids['automations']}`),
    rest.ask('GET', '/v1/events/ours'),
    rest.ask('GET', `/v1/deliveries/${ids['deliveries']}`),
    rest.ask('GET', '/v1/keys'),
    rest.ask('GET', '/v1/webhooks/logs'),
  ]).then((answers) => answers.map(({ text }) => text));

describe("another workspace's id", () => {
  it('is tried on every route that takes one', () => {
    const taking = rest.judged.operations.filter(({ path }) => path.includes('{id}'));
    expect(taking.length).toBeGreaterThanOrEqual(25);
    expect(taking.filter(({ path }) => kindOf(path) === undefined)).toEqual([]);
  });

  it('is answered on every route like an id that does not exist, and nothing happens to what it names', async () => {
    const before = await ours();
    const taking = rest.judged.operations.filter(({ path }) => path.includes('{id}'));
    for (const { method, path, operationId } of taking) {
      const kind = kindOf(path) ?? '';
      const askFor = (id = '') => rest.ask(method, path.replace('{id}', id), bodies[operationId], { key: stranger });
      const [foreign, unknown] = [await askFor(ids[kind]), await askFor(never[kind])];
      expect([method, path, foreign.status, foreign.body.code]).toEqual([method, path, 404, 'not_found']);
      expect(foreign.body).toEqual(unknown.body);
    }
    expect(await ours()).toEqual(before);
    expect(rest.h.receiver.requests).toHaveLength(1);
  });

  it.each(['/v1/deliveries', '/v1/webhooks/logs'])('filters nothing out of %s', async (list) => {
    const askFor = (id = '') => rest.ask('GET', `${list}?endpoint_id=${id}`, undefined, { key: stranger });
    const [foreign, unknown] = [await askFor(ids['subscriptions']), await askFor(never['subscriptions'])];
    expect([foreign.status, foreign.body]).toEqual([404, unknown.body]);
  });

  it('is in no list', async () => {
    for (const list of [
      '/v1/events',
      '/v1/deliveries',
      '/v1/webhooks/logs',
      '/v1/automations',
      configs,
      subscriptions,
    ]) {
      expect((await rest.ask('GET', list, undefined, { key: stranger })).body).toEqual({ data: [], next_cursor: null });
    }
    const { body } = await rest.ask('GET', '/v1/keys', undefined, { key: stranger });
    expect(body.data.map(({ name }: { name: string }) => name)).toEqual(['stranger']);
  });

  it('is answered by every MCP tool like an id that does not exist', async () => {
    const before = await ours();
    // Whatever a tool calls an id, optional or not: a kind that is not known here fails below.
    const taking = tools.flatMap((tool) =>
      Object.keys(z.toJSONSchema(tool.input, { io: 'input' }).properties ?? {})
        .filter((field) => field.endsWith('_id'))
        .map((field) => ({ name: tool.name, field })),
    );
    expect(taking.length).toBeGreaterThanOrEqual(14);
    for (const { name, field } of taking) {
      const more = name === 'replay_webhook_deliveries' ? { since: '2026-01-01T00:00:00Z' } : {};
      const kind = kindOfField[field] ?? 'unknown';
      expect(Object.keys(never)).toContain(kind);
      const foreign = errorOf(await agent.callTool(name, { [field]: ids[kind], ...more }));
      expect([name, foreign]).toEqual([name, expect.stringMatching(/^not_found: /)]);
      expect(foreign).toBe(errorOf(await agent.callTool(name, { [field]: never[kind], ...more })));
    }
    expect(await ours()).toEqual(before);
  });
});

describe("another workspace's config", () => {
  it('is called by no automation: named in its body, made or changed, it is answered like one that does not exist', async () => {
    const asking = { key: stranger };
    const { body: own } = await rest.ask('POST', configs, { name: 'theirs', url: rest.h.receiver.url }, asking);
    const calling = (...configIds: (string | undefined)[]) => ({
      name: 'theirs',
      trigger_event: '*',
      actions: configIds.map((config_id) => ({ type: 'webhook', config_id })),
    });
    const { body: made } = await rest.ask('POST', '/v1/automations', calling(own.id), asking);
    const at = `/v1/automations/${made.id}`;
    const before = await ours();
    // Behind one that exists as well: the answer names the place.
    for (const [index, listed] of [[], [own.id]].entries()) {
      const refusals = async (config: string | undefined) => {
        const body = calling(...listed, config);
        const over = [
          await rest.ask('POST', '/v1/automations', body, asking),
          await rest.ask('PATCH', at, { actions: body.actions }, asking),
        ];
        const told = [
          await agent.callTool('create_automation', body),
          await agent.callTool('update_automation', { automation_id: made.id, actions: body.actions }),
        ];
        return [...over.map((answer) => [answer.status, answer.body]), ...told.map(errorOf)];
      };
      const foreign = await refusals(ids['configs']);
      expect(foreign).toEqual(await refusals(never['configs']));
      const detail = `/actions/${index}/config_id: is no webhook config of this workspace.`;
      expect(foreign[0]).toEqual([422, expect.objectContaining({ code: 'validation_failed', detail })]);
      expect(foreign[2]).toContain(detail);
    }
    expect((await rest.ask('GET', at, undefined, asking)).body).toEqual(made);
    expect(await ours()).toEqual(before);
    await rest.ask('DELETE', at, undefined, asking);
    await rest.ask('DELETE', `${configs}/${own.id}`, undefined, asking);
  });
});

describe('to an agent of another workspace', () => {
  it('a resource, a prompt and their completions know it as little', async () => {
    const id = ids['subscriptions'] ?? '';
    const unknown = never['subscriptions'] ?? '';
    const read = (which: string) => agent.readResource(`posthorn://subscriptions/${which}`).catch(String);
    expect((await read(id)).replaceAll(id, unknown)).toBe(await read(unknown));
    expect(await read(unknown)).toMatch(/not found/i);
    const debug = (which: string) => agent.getPrompt('debug_failing_webhook', { subscription_id: which }).catch(String);
    expect(await debug(id)).toBe(await debug(unknown));
    expect(await debug(id)).toContain('not_found');
    const resource = { type: 'ref/resource' as const, uri: 'posthorn://subscriptions/{id}' };
    const prompt = { type: 'ref/prompt' as const, name: 'debug_failing_webhook' };
    expect(await agent.complete(resource, 'id', id.slice(0, 8))).toEqual([]);
    expect(await agent.complete(prompt, 'subscription_id', id.slice(0, 8))).toEqual([]);
  });

  it("an event type of one workspace's own is none of the other's", async () => {
    await rest.ask('PUT', '/v1/event-types/only.ours', { description: 'Ours.', example: {} });
    const theirs = { key: stranger };
    const [foreign, unknown] = await Promise.all(
      ['only.ours', 'no.such'].map((name) => rest.ask('DELETE', `/v1/event-types/${name}`, undefined, theirs)),
    );
    expect([foreign?.status, foreign?.body]).toEqual([404, unknown?.body]);
    const publish = { type: 'only.ours', data: {} };
    expect((await rest.ask('POST', '/v1/events', publish, theirs)).body.code).toBe('unknown_event_type');
    expect((await rest.ask('POST', '/v1/events', publish)).status).toBe(202);
  });
});

describe('what two workspaces name alike', () => {
  it('is two things: event types, events and their data', async () => {
    const { operator } = rest.h.posthorn;
    await operator.createWorkspace('third');
    const owner = await operator.principal('third');
    const theirs = await rest.h.core.createKey(owner, { name: 'theirs', scopes: [...scopes] });
    const asked = async (key: string, method: string, path: string, body?: object) =>
      (await rest.ask(method, path, body, { key })).body;
    const described = async (key: string) => {
      const { data } = await asked(key, 'GET', '/v1/event-types?limit=200');
      return data.find(({ name }: { name: string }) => name === 'contact.created').description as string;
    };
    const dataOf = async (key: string) => (await asked(key, 'GET', '/v1/events/ours')).data as unknown;

    await asked(theirs.key, 'PUT', '/v1/event-types/contact.created', { description: 'Theirs.', example: {} });
    expect([await described(theirs.key), await described(adminKey)]).toEqual(['Theirs.', 'A contact was added.']);
    const event = { type: 'contact.created', data: { theirs: true }, id: 'ours' };
    expect(await asked(theirs.key, 'POST', '/v1/events', event)).toEqual({ id: 'ours', deliveries: 0 });
    expect([await dataOf(theirs.key), await dataOf(adminKey)]).toEqual([{ theirs: true }, { name: 'Ada' }]);
    await asked(theirs.key, 'DELETE', '/v1/events/ours/data');
    expect([await dataOf(theirs.key), await dataOf(adminKey)]).toEqual([null, { name: 'Ada' }]);
  });
});

function kindOf(path: string): string | undefined {
  return Object.keys(never).find((kind) => path.includes(`/${kind}/{id}`));
}
