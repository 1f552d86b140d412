import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../src/core/types.ts';
import { type Scope, toolGroups } from '../../src/core/vocabulary.ts';
import { makePolicy } from '../../src/net/address.ts';
import { makeTargets } from '../../src/net/targets.ts';
import { tools } from '../../tools/index.ts';
import { connect } from '../mcp/clients.ts';
import { errorOf, resultOf } from '../mcp/conversation.ts';
import { listenMcp } from '../mcp/http-server.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { temporaryFolder } from '../cli/here.ts';

const approving = { POSTHORN_NEW_HOSTS: 'approve', POSTHORN_ALLOW_TARGETS: '127.0.0.1/32' };
const agentScopes: Scope[] = ['webhooks:read', 'webhooks:write', 'webhooks:delete', 'events:read', 'events:write'];

let h: Harness;
let elsewhere: Receiver;
beforeEach(async () => {
  h = await startHarness({ environment: approving });
  elsewhere = await startReceiver();
});
afterEach(async () => {
  await h.close();
  await elsewhere.close();
});

async function keyHolder(by: Principal, scopes: Scope[]): Promise<Principal> {
  const { key } = await h.core.createKey(by, { name: 'k', scopes });
  return h.core.authenticate(key, { face: 'rest', client: null });
}
const subscribe = async (by: Principal, url = h.receiver.url, core = h.core) =>
  (await core.createSubscription(by, { url, events: ['*'] })).id;
const approve = (by: Principal, id: string, url?: string) =>
  h.core.approveSubscription(by, { subscription_id: id, ...(url === undefined ? {} : { url }) });
const move = (by: Principal, id: string, url: string) => h.core.updateSubscription(by, { subscription_id: id, url });
const statusOf = async (id: string) => (await h.core.getSubscription(h.owner, { subscription_id: id })).status;
const denied = { code: 'approval_denied' };
const pending = { code: 'pending_approval' };

describe('an endpoint that waits for approval', () => {
  it('gets nothing: no event, no test, no retry, no replay, and no status but this one', async () => {
    const agent = await keyHolder(h.owner, agentScopes);
    const id = await subscribe(agent);
    await h.posthorn.startDispatcher();
    const { published } = await h.core.publish(agent, { type: 'contact.created', data: {} });
    expect(published.deliveries).toBe(0);
    const one = { subscription_id: id };
    await expect(h.core.testSubscription(agent, one)).rejects.toMatchObject(pending);
    await expect(h.core.updateSubscription(agent, { ...one, status: 'active' })).rejects.toMatchObject(pending);
    await expect(h.core.updateSubscription(agent, { ...one, status: 'paused' })).rejects.toMatchObject(pending);
    const replay = { ...one, since: '2020-01-01T00:00:00Z', status: 'all' };
    await expect(h.core.replaySubscription(agent, replay)).rejects.toMatchObject({ code: 'not_active' });
    expect(await approve(h.owner, id)).toMatchObject({ status: 'active' });
    // What could have been sent before would have been sent first.
    await h.core.testSubscription(agent, one);
    expect(h.receiver.requests.map(({ headers }) => headers['x-trustpager-test'])).toEqual(['true']);
  });

  it('keeps what it was owed before it moved, and is not sent it at the new host', async () => {
    const id = await subscribe(h.owner);
    await approve(h.owner, id);
    await h.core.publish(h.owner, { type: 'contact.created', data: {}, id: 'owed' });
    await move(h.owner, id, elsewhere.url);
    await h.posthorn.startDispatcher();
    const [owed] = (await h.core.listDeliveries(h.owner, { endpoint_id: id })).data;
    const retry = h.core.retryDelivery(h.owner, { delivery_id: owed?.id });
    await expect(retry).rejects.toMatchObject({ code: 'not_active' });
    expect(owed).toMatchObject({ status: 'pending', attempts: 0 });
    await approve(h.owner, id);
    await elsewhere.received(1);
    expect(h.receiver.requests).toEqual([]);
  });

  it('is shown to an agent with whom to ask, and MCP has no tool that approves, whatever the key may do', async () => {
    const everything = await keyHolder(h.owner, [...h.owner.scopes]);
    const face = await listenMcp(h.core, everything, { groups: [...toolGroups] });
    const agent = await connect('2.x auto', { url: face.url });
    const made = resultOf(await agent.callTool('create_webhook_subscription', { url: h.receiver.url, events: ['*'] }));
    expect(made).toMatchObject({
      status: 'pending_approval',
      diagnosis: expect.stringContaining('ask someone with webhooks:approve'),
    });
    const tested = await agent.callTool('test_webhook_subscription', { subscription_id: made.id });
    expect(errorOf(tested)).toMatch(/^pending_approval: .*\nSomeone with webhooks:approve has to approve it first\.$/);
    expect((await agent.listTools()).map(({ name }) => name)).toEqual(tools.map(({ name }) => name));
    expect(tools.filter(({ name, scope }) => scope === 'webhooks:approve' || /approv/.test(name))).toEqual([]);
    for (const { name } of tools.filter((each) => each.name !== 'delete_webhook_subscription')) {
      for (const more of [{}, { status: 'active' }]) {
        await agent.callTool(name, { subscription_id: made.id, ...more });
        expect([name, await statusOf(made.id)]).toEqual([name, 'pending_approval']);
      }
    }
    expect(h.receiver.requests).toEqual([]);
    await agent.close();
    await face.close();
  });
});

describe('who may not approve', () => {
  const scopes: Scope[] = [...agentScopes, 'webhooks:approve', 'keys:admin'];

  it('is the key that created it, and every key that descends from that key', async () => {
    const maker = await keyHolder(h.owner, scopes);
    const child = await keyHolder(maker, scopes);
    const grandchild = await keyHolder(child, scopes);
    const id = await subscribe(maker);
    for (const one of [maker, child, grandchild]) await expect(approve(one, id)).rejects.toMatchObject(denied);
    expect(await statusOf(id)).toBe('pending_approval');
  });

  it('is not the key above it, nor one beside it: those are the people who gave an agent its key', async () => {
    const parent = await keyHolder(h.owner, scopes);
    const maker = await keyHolder(parent, scopes);
    const sibling = await keyHolder(parent, scopes);
    expect(await approve(parent, await subscribe(maker))).toMatchObject({ status: 'active' });
    expect(await approve(sibling, await subscribe(maker, elsewhere.url))).toMatchObject({ status: 'active' });
  });

  it('is also the key that chose its host later, with its descendants; the maker stays one of them', async () => {
    const maker = await keyHolder(h.owner, scopes);
    const mover = await keyHolder(h.owner, scopes);
    const child = await keyHolder(mover, scopes);
    const id = await subscribe(maker);
    await approve(mover, id);
    expect(await move(mover, id, elsewhere.url)).toMatchObject({ status: 'pending_approval' });
    for (const one of [mover, child, maker]) await expect(approve(one, id)).rejects.toMatchObject(denied);
    // A change of the path moves nothing, and whoever makes it has not chosen the host.
    await move(child, id, `${elsewhere.url}/other`);
    await expect(approve(mover, id)).rejects.toMatchObject(denied);
    expect(await approve(h.owner, id)).toMatchObject({ status: 'active' });
  });

  it('is the admin key for what it created, and every key that it made', async () => {
    await h.close();
    const adminKey = 'an-admin-key-of-more-than-32-characters';
    h = await startHarness({ environment: { ...approving, POSTHORN_ADMIN_KEY: adminKey } });
    const admin = await h.core.authenticate(adminKey, { face: 'rest', client: null });
    const child = await keyHolder(admin, scopes);
    const id = await subscribe(admin);
    for (const one of [admin, child]) await expect(approve(one, id)).rejects.toMatchObject(denied);
    expect(await approve(admin, await subscribe(child, elsewhere.url))).toMatchObject({ status: 'active' });
    expect(await approve(h.owner, id)).toMatchObject({ status: 'active' });
  });

  it('is the local user of a stdio process, who lacks the scope', async () => {
    const local = await h.core.localPrincipal({ face: 'cli', client: null });
    const id = await subscribe(local);
    await expect(approve(local, id)).rejects.toMatchObject({ code: 'insufficient_scope' });
  });

  it('is somebody of another workspace, for whom it does not exist', async () => {
    await h.posthorn.operator.createWorkspace('other');
    const stranger = await h.posthorn.operator.principal('other');
    await expect(approve(stranger, await subscribe(h.owner))).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a host', () => {
  /** Names resolve to a public address, and nothing is sent. */
  async function startNamed(): Promise<void> {
    await h.close();
    const clock = new FakeClock();
    const policy = makePolicy({ allowTargets: [], ownHosts: () => [], ownAddresses: () => [] });
    const lookup = async () => [{ address: '93.184.215.14', family: 4 }];
    const targets = makeTargets({ policy, clock, lookup });
    h = await startHarness({ clock, environment: { POSTHORN_NEW_HOSTS: 'approve' }, ports: { targets } });
  }

  it('is the same however it is written, and another one however alike it looks', async () => {
    await startNamed();
    await approve(h.owner, await subscribe(h.owner, 'https://hooks.example.com/in'));
    const verdicts: [string, string][] = [
      ['https://hooks.example.com/other?a=b', 'active'],
      ['HTTPS://HOOKS.Example.COM./in', 'active'],
      ['https://hooks.example.com:443/in', 'active'],
      ['https://ｈooks.example.com/in', 'active'],
      ['https://hooks.example.com:8443/in', 'pending_approval'],
      ['https://hooks.example.com:80/in', 'pending_approval'],
      ['https://a.hooks.example.com/in', 'pending_approval'],
      ['https://example.com/in', 'pending_approval'],
      ['https://hooks.example.com.evil.example/in', 'pending_approval'],
      ['https://evil.example/hooks.example.com', 'pending_approval'],
      ['https://evil.example/?https://hooks.example.com/in', 'pending_approval'],
      ['https://hooks.example.co/in', 'pending_approval'],
      ['https://һooks.example.com/in', 'pending_approval'],
      ['https://xn--ooks-0sd.example.com/in', 'pending_approval'],
      ['https://93.184.215.14/in', 'pending_approval'],
    ];
    const found: [string, string][] = [];
    for (const [url] of verdicts) found.push([url, await statusOf(await subscribe(h.owner, url))]);
    expect(found).toEqual(verdicts);
  });

  it('does not become known by an endpoint that is deleted, rotates its secret or moves on before it was approved', async () => {
    await startNamed();
    const evil = 'https://evil.example/';
    await h.core.deleteSubscription(h.owner, { subscription_id: await subscribe(h.owner, evil) });
    const second = await subscribe(h.owner, evil);
    expect(await statusOf(second)).toBe('pending_approval');
    await h.core.rotateSecret(h.owner, { subscription_id: second });
    await move(h.owner, second, 'https://good.example/');
    await approve(h.owner, second);
    const third = await subscribe(h.owner, evil);
    expect(await statusOf(third)).toBe('pending_approval');
    // What was looked at and let in is known, and stays so when its endpoint is gone.
    await h.core.deleteSubscription(h.owner, { subscription_id: second });
    expect(await statusOf(await subscribe(h.owner, 'https://good.example/b'))).toBe('active');
  });

  it('is known to its own workspace only', async () => {
    await approve(h.owner, await subscribe(h.owner));
    await h.posthorn.operator.createWorkspace('other');
    const other = await h.posthorn.operator.principal('other');
    const made = await h.core.createSubscription(other, { url: h.receiver.url, events: ['*'] });
    expect(made.status).toBe('pending_approval');
  });

  it('that was active before the operator asked for approval is known', async () => {
    const folder = await temporaryFolder();
    const databaseUrl = `file:${folder}/p.db`;
    const environment = { POSTHORN_ALLOW_TARGETS: '127.0.0.1/32' };
    const before = await startHarness({ databaseUrl, environment });
    await subscribe(before.owner, h.receiver.url, before.core);
    await before.close();
    const after = await startHarness({ databaseUrl, environment: approving });
    const [known, fresh] = [h.receiver.url, elsewhere.url].map((url) =>
      after.core.createSubscription(after.owner, { url, events: ['*'] }),
    );
    expect([(await known)?.status, (await fresh)?.status]).toEqual(['active', 'pending_approval']);
    await after.close();
  });
});

describe('approving', () => {
  it('holds for the URL that was looked at', async () => {
    const id = await subscribe(h.owner);
    const looked = (await h.core.getSubscription(h.owner, { subscription_id: id })).url;
    await move(h.owner, id, elsewhere.url);
    await expect(approve(h.owner, id, looked)).rejects.toMatchObject(pending);
    expect(await statusOf(id)).toBe('pending_approval');
    expect(await approve(h.owner, id, `${elsewhere.url}/`)).toMatchObject({ status: 'active' });
  });

  it('twice does nothing more', async () => {
    const id = await subscribe(h.owner);
    await approve(h.owner, id);
    expect(await approve(h.owner, id)).toMatchObject({ status: 'active' });
  });
});
