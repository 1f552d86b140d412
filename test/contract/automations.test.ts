import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { errorOf, resultOf } from '../mcp/conversation.ts';
import { scopes } from '../../src/core/vocabulary.ts';
import { until } from '../support/until.ts';
import { configs, type Rest, startRest } from './rest.ts';

const automations = '/v1/automations';

let rest: Rest;
let agent: AnyClient;
beforeAll(async () => {
  rest = await startRest({ environment: { POSTHORN_TOOLS: 'configs,automations' } });
  const headers = { authorization: `Bearer ${await rest.makeKey(...scopes)}` };
  agent = await connect('2.x auto', { url: new URL(`${rest.base}/mcp`), headers });
  await rest.h.posthorn.startDispatcher();
});
afterAll(async () => {
  await agent.close();
  await rest.close();
});

// oxlint-disable-next-line typescript/no-explicit-any -- what was answered is what the tests look into
const call = async (name: string, args: object = {}): Promise<any> =>
  resultOf(await agent.callTool(name, args as Record<string, unknown>));
const get = async (path: string) => (await rest.ask('GET', path)).body;
const newConfig = (name: string) =>
  call('create_webhook_config', { name, url: `${rest.h.receiver.url}/${name}`, headers: { 'X-Key': 'canary-2a' } });

describe('configs and automations through MCP', () => {
  it('do the whole job of an agent: set up, test, wire, see it fire, take away', async () => {
    const { secret, ...made } = await newConfig('job');
    expect([secret, made.headers]).toEqual([expect.stringMatching(/^whsec_/), { 'X-Key': '••••••••' }]);
    const of = { config_id: made.id };
    expect(await call('test_webhook_config', of)).toMatchObject({ is_test: true, response_code: 204 });
    const action = { type: 'webhook', config_id: made.id };
    const automation = await call('create_automation', {
      name: 'Large deals',
      trigger_event: 'opportunity.won',
      conditions: 'data.value > 1',
      actions: [action],
    });
    await rest.publish({ type: 'opportunity.won', data: { value: 2 } });
    await until(async () => (await call('list_webhook_config_logs', of)).logs.length === 2);
    const { logs } = await call('list_webhook_config_logs', of);
    expect(logs).toMatchObject([
      { event_type: 'opportunity.won', is_test: false, status: 'succeeded' },
      { is_test: true },
    ]);
    await until(async () => (await get(`${automations}/${automation.id}`)).fired_count === 1);
    expect(errorOf(await agent.callTool('delete_webhook_config', of))).toMatch(
      new RegExp(`^config_in_use: It is called by ${automation.id} \\(Large deals\\)`),
    );
    const mine = { automation_id: automation.id };
    expect(await call('update_automation', { ...mine, enabled: false })).toMatchObject({ enabled: false });
    expect(await call('delete_automation', mine)).toEqual({ id: automation.id, deleted: true });
    expect(await call('delete_webhook_config', of)).toEqual({ id: made.id, deleted: true });
    expect((await rest.ask('GET', `${configs}/${made.id}`)).status).toBe(404);
  });

  it('answer what REST answers', async () => {
    const { id } = await newConfig('same');
    await call('create_automation', {
      name: 'same',
      trigger_event: '*',
      actions: [{ type: 'webhook', config_id: id }],
    });
    await call('test_webhook_config', { config_id: id });
    const pages: [string, string, object, string][] = [
      ['configs', 'list_webhook_configs', {}, configs],
      ['automations', 'list_automations', {}, automations],
      ['logs', 'list_webhook_config_logs', { config_id: id }, `${configs}/${id}/logs`],
    ];
    for (const [name, tool, args, path] of pages) {
      const page = await get(path);
      expect(await call(tool, args)).toEqual({ [name]: page.data, next_cursor: page.next_cursor });
    }
    expect(await call('get_webhook_config', { config_id: id })).toEqual(await get(`${configs}/${id}`));
    const changed = await call('update_webhook_config', { config_id: id, status: 'paused' });
    expect(changed).toEqual(await get(`${configs}/${id}`));
  });

  it('refuse what REST refuses, with the same code and sentence', async () => {
    const url = rest.h.receiver.url;
    const cases: [string, object, string][] = [
      ['create_webhook_config', { name: 'a', url, headers: { Host: 'canary-2a' } }, configs],
      ['create_webhook_config', { name: 'a', url: 'https://10.0.0.1/' }, configs],
      ['create_webhook_config', { name: 'a', url, trigger_events: ['contact.create'] }, configs],
      [
        'create_automation',
        { name: 'a', trigger_event: '*', actions: [{ type: 'webhook', config_id: 'cfg_1' }] },
        automations,
      ],
      [
        'create_automation',
        { name: 'a', trigger_event: 'contact.create', actions: [{ type: 'webhook', config_id: 'a' }] },
        automations,
      ],
      [
        'create_automation',
        { name: 'a', trigger_event: '*', conditions: 'data.', actions: [{ type: 'webhook', config_id: 'a' }] },
        automations,
      ],
    ];
    for (const [tool, args, path] of cases) {
      const text = errorOf(await agent.callTool(tool, args as Record<string, unknown>));
      const { status, body } = await rest.ask('POST', path, args);
      expect([status, text.split('\n')[0]]).toEqual([422, `${body.code}: ${body.detail}`]);
      expect(text + JSON.stringify(body)).not.toContain('canary');
    }
  });
});

it('REST names the automations that keep a config, and the tools are not there unless they are switched on', async () => {
  const { id } = await newConfig('kept');
  const made = await rest.ask('POST', automations, {
    name: 'Keeper',
    trigger_event: 'task.*',
    actions: [{ type: 'webhook', config_id: id }],
  });
  expect([made.status, made.body.enabled]).toEqual([201, true]);
  const { status, body } = await rest.ask('DELETE', `${configs}/${id}`);
  expect([status, body.code]).toEqual([409, 'config_in_use']);
  expect(body.detail).toBe(`It is called by ${made.body.id} (Keeper).`);
  const dryRun = await rest.ask('POST', `${automations}/${made.body.id}/dry-run`);
  expect(dryRun.body).toMatchObject({ matched: 0 });
  const names = (await agent.listTools()).map(({ name }) => name);
  expect(names.filter((name) => name.includes('subscription'))).toEqual([]);
});
