import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useCases } from '../../src/core/core.ts';
import { type AuditAction, auditActions, scopes } from '../../src/core/vocabulary.ts';
import { routes } from '../../src/http/api/routes.ts';
import { tools } from '../../tools/index.ts';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { canary, type Changing, makeScenes, type Scene, secret } from './audit-scenes.ts';
import { type Rest, startRest, subscriptions } from './rest.ts';

let rest: Rest;
let agent: AnyClient;
let key = { id: '', key: '' };
let scenes: Record<Changing, Scene>;

beforeAll(async () => {
  rest = await startRest({
    environment: { POSTHORN_NEW_HOSTS: 'approve', POSTHORN_TOOLS: 'subscriptions,events,configs,automations' },
  });
  rest.h.receiver.respond((_request, response) => response.writeHead(413).end(canary));
  scenes = makeScenes(rest, await rest.makeKey('webhooks:write'));
  key = (await rest.ask('POST', '/v1/keys', { name: 'agent\u202e', scopes })).body;
  const headers = { authorization: `Bearer ${key.key}` };
  agent = await connect('2.x auto', { url: new URL(`${rest.base}/mcp`), headers });
  await rest.h.posthorn.startDispatcher();
});
afterAll(async () => {
  await agent.close();
  await rest.close();
});

interface Row {
  seq: number;
  action: AuditAction;
  target_id: string;
}
const audit = async (query = '') => (await rest.ask('GET', `/v1/audit?limit=200${query}`)).body.data as Row[];

/** The rows that `work` wrote, oldest first. */
async function writtenBy(work: () => Promise<unknown>): Promise<Row[]> {
  const [newest] = await audit();
  await work();
  return (await audit()).filter(({ seq }) => seq > (newest?.seq ?? 0)).toReversed();
}

const names = Object.entries(useCases).flatMap(([name, { action }]) => (action === null ? [] : [name as Changing]));
const routeOf = (name: string) => routes.find(({ operationId }) => operationId === name);
const me = () => ({ kind: 'key', key_id: key.id, name: 'agent' });

/** Tools that change something here. To publish and to test are no changes. */
const useCaseOf: Record<string, Changing> = {
  create_webhook_subscription: 'createSubscription',
  update_webhook_subscription: 'updateSubscription',
  delete_webhook_subscription: 'deleteSubscription',
  create_webhook_config: 'createConfig',
  update_webhook_config: 'updateConfig',
  delete_webhook_config: 'deleteConfig',
  create_automation: 'createAutomation',
  update_automation: 'updateAutomation',
  delete_automation: 'deleteAutomation',
  rotate_webhook_secret: 'rotateSecret',
  replay_webhook_deliveries: 'replaySubscription',
  retry_webhook_delivery: 'retryDelivery',
};

describe('every use case that changes something', () => {
  it('has a scene here, an action of its own, and a route', () => {
    expect(names.toSorted()).toEqual(Object.keys(scenes).toSorted());
    expect(names.map((name) => useCases[name].action).toSorted()).toEqual(
      auditActions.filter((action) => action !== 'workspace.create').toSorted(),
    );
    expect(names.filter((name) => routeOf(name) === undefined)).toEqual([]);
  });

  it.each(names)('writes one row through REST: %s', async (name) => {
    const { method = '', path = '' } = routeOf(name) ?? {};
    const target = (await scenes[name].target?.()) ?? '';
    const { idempotency_key, ...body } = scenes[name].input?.() ?? {};
    const headers = {
      'user-agent': 'audit-test/1 \u009b31m',
      ...(typeof idempotency_key === 'string' && { 'idempotency-key': idempotency_key }),
    };
    let made = '';
    const ask = async () => {
      const sent = method === 'DELETE' ? undefined : body;
      const answered = await rest.ask(method, path.replace(/\{\w+\}/, target), sent, { key: key.key, headers });
      expect(answered.status).toBeLessThan(300);
      made = answered.body?.id ?? '';
    };
    const rows = await writtenBy(ask);
    expect([canary, secret, key.key].filter((one) => JSON.stringify(rows).includes(one))).toEqual([]);
    expect(rows).toMatchObject([
      {
        action: useCases[name].action,
        target_id: target || made,
        principal: me(),
        face: 'rest',
        client: 'audit-test/1 31m',
        created_at: new Date(rest.h.clock.now()).toISOString(),
      },
    ]);
  });

  it('has its tool in this table, where it has one', () => {
    const changing = tools.filter(({ annotations }) => !annotations.readOnlyHint).map(({ name }) => name);
    const apart = new Set(['publish_event', 'test_webhook_subscription', 'test_webhook_config']);
    expect(changing.filter((name) => !apart.has(name)).toSorted()).toEqual(Object.keys(useCaseOf).toSorted());
  });

  it.each(Object.entries(useCaseOf))('writes one row through MCP: %s', async (tool, name) => {
    const target = await scenes[name].target?.();
    const field = /delivery|config|automation/.exec(tool)?.[0] ?? 'subscription';
    const args = {
      ...scenes[name].input?.(),
      ...(target === undefined || target === '' ? {} : { [`${field}_id`]: target }),
    };
    const call = async () => expect((await agent.callTool(tool, args)).isError ?? false).toBe(false);
    const rows = await writtenBy(call);
    expect([canary, secret, key.key].filter((one) => JSON.stringify(rows).includes(one))).toEqual([]);
    expect(rows).toMatchObject([
      { action: useCases[name].action, principal: me(), face: 'mcp', client: 'posthorn-test/1.0.0' },
    ]);
  });
});

describe('the audit log', () => {
  it('begins with the workspace, and says what was before and after', async () => {
    const first = (await audit()).at(-1);
    expect(first).toMatchObject({ seq: 1, action: 'workspace.create', before: null, after: { name: 'default' } });
    const id = (await scenes.updateSubscription.target?.()) ?? '';
    await rest.ask('PATCH', `${subscriptions}/${id}`, { description: 'New words' });
    const [row] = await audit(`&target_id=${id}&action=subscription.update`);
    expect(row).toMatchObject({
      principal: { kind: 'admin', key_id: null, name: 'admin' },
      before: { description: null, status: 'active' },
      after: { description: 'New words', status: 'active' },
    });
  });

  it('says nothing of what changes nothing: tests, publishing, reading, repeating, refusals', async () => {
    const id = (await scenes.updateSubscription.target?.()) ?? '';
    const again = { headers: { 'idempotency-key': 'again' } };
    await rest.subscribe({}, again);
    const rows = await writtenBy(async () => {
      await rest.subscribe({}, again);
      await rest.ask('POST', `${subscriptions}/${id}/test`);
      await rest.ask('POST', `${subscriptions}/${id}/approve`);
      await rest.publish();
      for (const { path } of routes.filter(({ method }) => method === 'GET')) {
        await rest.ask('GET', path.replace('{id}', id));
      }
      await rest.ask('DELETE', `${subscriptions}/sub_00000000000000000000000000`);
      await rest.ask('PATCH', `${subscriptions}/${id}`, { events: ['no.such'] });
      await rest.ask('DELETE', `${subscriptions}/${id}`, undefined, { key: 'tp_live_unknown' });
    });
    expect(rows).toEqual([]);
  });

  it('has pages and filters like every list', async () => {
    const { body: page } = await rest.ask('GET', '/v1/audit?limit=2');
    const { body: next } = await rest.ask('GET', `/v1/audit?limit=2&cursor=${page.next_cursor}`);
    const seqs = [...page.data, ...next.data].map(({ seq }: Row) => seq);
    expect(seqs).toEqual((await audit()).slice(0, 4).map(({ seq }) => seq));
    const retried = { delivery_id: await scenes.retryDelivery.target?.() };
    await agent.callTool('retry_webhook_delivery', retried);
    expect(await audit(`&face=mcp&key_id=${key.id}&target_id=${retried.delivery_id}`)).toHaveLength(1);
    expect(await audit(`&face=page&key_id=${key.id}`)).toEqual([]);
    expect(await audit('&key_id=key_unknown')).toEqual([]);
    expect(await audit('&since=2999-01-01T00:00:00Z')).toEqual([]);
  });

  it('is for keys:admin, and for one workspace', async () => {
    const others = await rest.makeKey(...scopes.filter((scope) => scope !== 'keys:admin'));
    expect((await rest.ask('GET', '/v1/audit', undefined, { key: others })).status).toBe(403);
    const { operator } = rest.h.posthorn;
    await operator.createWorkspace('other');
    const theirs = await rest.h.core.listAudit(await operator.principal('other'), {});
    expect(theirs.data).toMatchObject([
      { seq: 1, action: 'workspace.create', face: 'cli', principal: { kind: 'local', key_id: null } },
    ]);
  });

  it('is whole after a key revoked itself and everything else that was done here', async () => {
    const { body: made } = await rest.ask('POST', '/v1/keys', { name: 'once', scopes: ['keys:admin'] });
    await rest.ask('DELETE', `/v1/keys/${made.id}`, undefined, { key: made.key });
    const verdicts = await rest.h.posthorn.operator.verifyAudit('default');
    expect(verdicts).toMatchObject([{ workspace: 'default', broken: null }]);
    expect(verdicts[0]?.rows).toBe((await audit())[0]?.seq);
  });
});
