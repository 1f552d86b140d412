import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeConditions } from '../../src/conditions/conditions.ts';
import { limits } from '../../src/core/inputs.ts';
import { fanOutNowMax } from '../../src/core/journey/accept.ts';
import { FanOut } from '../../src/core/journey/fan-out.ts';
import { schemas } from '../../src/schemas/schemas.ts';
import { seedEndpoint } from '../store/seed.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { engines, sqliteEngine, type TestDatabase } from '../support/stores.ts';
import { until } from '../support/until.ts';

let h: Harness;
const config = async (more: object = {}) =>
  (await h.core.createConfig(h.owner, { name: 'Notify the team', url: `${h.receiver.url}/hook`, ...more })).id;
const actionsOf = (...ids: string[]) => ids.map((config_id) => ({ type: 'webhook', config_id }));
const create = (ids: string[], more: object = {}) =>
  h.core.createAutomation(h.owner, {
    name: 'Large deals',
    trigger_event: 'opportunity.won',
    actions: actionsOf(...ids),
    ...more,
  });
const show = (id: string) => h.core.getAutomation(h.owner, { automation_id: id });
const change = (id: string, more: object) => h.core.updateAutomation(h.owner, { automation_id: id, ...more });
const publish = async (value: unknown = 1, type = 'opportunity.won') =>
  (await h.core.publish(h.owner, { type, data: { value } })).published;
const owed = async (value: unknown = 1, type?: string) => (await publish(value, type)).deliveries;
const logs = async (id: string) => (await h.core.listConfigLogs(h.owner, { config_id: id })).data;

describe.each(engines)('an automation on $name', (engine) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await engine.create();
    h = await startHarness({ databaseUrl: database.url });
  });
  afterEach(async () => {
    await h.close();
    await database.close();
  });

  it('calls its configs when its event comes and its conditions hold, and is seen to have fired', async () => {
    const [first, second] = [await config(), await config({ include_trigger_data: false })];
    const made = await create([second, first], { conditions: 'data.value > 10000' });
    expect(made).toMatchObject({
      id: expect.stringMatching(/^aut_/),
      conditions: 'data.value > 10000',
      actions: actionsOf(second, first),
      enabled: true,
      fired_count: 0,
      last_fired_at: null,
      error_count: 0,
    });
    await h.posthorn.startDispatcher();
    expect([await owed(20_000), await owed(1), await owed(20_000, 'opportunity.lost')]).toEqual([2, 0, 0]);
    const bodies = (await h.receiver.received(2)).map(({ body }) => JSON.parse(body) as object);
    expect(bodies.filter((body) => 'data' in body)).toMatchObject([
      { type: 'opportunity.won', data: { value: 20_000 } },
    ]);
    await until(async () => (await show(made.id)).fired_count === 1);
    expect((await show(made.id)).last_fired_at).toBe(new Date(h.clock.now()).toISOString());
    await until(async () => (await logs(first)).length === 1);
    expect((await logs(first))[0]).toMatchObject({ event_type: 'opportunity.won', is_test: false, response_code: 204 });
  });

  it('delivers once what a config wants by itself, and by several automations', async () => {
    const id = await config({ trigger_events: ['opportunity.*'] });
    await create([id]);
    await create([id], { trigger_event: '*' });
    const { id: event, deliveries } = await publish();
    expect(deliveries).toBe(1);
    await h.posthorn.startDispatcher();
    await until(async () => (await logs(id)).length === 1);
    const { data } = await h.core.listDeliveries(h.owner, { endpoint_id: id });
    expect(data).toMatchObject([{ event_id: event, status: 'succeeded' }]);
    expect(h.receiver.requests).toHaveLength(1);
  });

  it('that errs is seen to err, and keeps no other from firing', async () => {
    const [one, other] = [await config(), await config()];
    const erring = await create([one], { conditions: 'data.missing.deeper == 1' });
    const sound = await create([other]);
    expect(await owed()).toBe(1);
    await until(async () => (await show(erring.id)).error_count === 1);
    expect(await show(erring.id)).toMatchObject({
      fired_count: 0,
      last_error: expect.stringContaining('line 1'),
      last_error_at: new Date(h.clock.now()).toISOString(),
    });
    await until(async () => (await show(sound.id)).fired_count === 1);
    expect(await change(erring.id, { conditions: null })).toMatchObject({ error_count: 0, last_error: null });
    expect(await owed()).toBe(2);
  });

  it('does nothing while it is disabled, and calls no config that is paused, nor one that is gone from it', async () => {
    const [one, other] = [await config(), await config()];
    const { id } = await create([one, other]);
    expect(await owed()).toBe(2);
    await h.core.updateConfig(h.owner, { config_id: one, status: 'paused' });
    expect(await owed()).toBe(1);
    await change(id, { enabled: false });
    expect(await owed()).toBe(0);
    await change(id, { enabled: true, actions: actionsOf(one) });
    expect(await owed()).toBe(0);
    await h.core.updateConfig(h.owner, { config_id: one, status: 'active' });
    expect(await owed()).toBe(1);
    await h.core.deleteAutomation(h.owner, { automation_id: id });
    expect(await owed()).toBe(0);
    await expect(show(id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('keeps its configs from being deleted, and is named', async () => {
    const id = await config();
    const [first, second] = [await create([id]), await create([id], { name: 'Other', enabled: false })];
    await expect(h.core.deleteConfig(h.owner, { config_id: id })).rejects.toMatchObject({
      code: 'config_in_use',
      status: 409,
      message: `It is called by ${first.id} (Large deals), ${second.id} (Other).`,
    });
    expect(await owed()).toBe(1);
    await h.core.deleteAutomation(h.owner, { automation_id: first.id });
    await change(second.id, { actions: actionsOf(await config()) });
    expect(await h.core.deleteConfig(h.owner, { config_id: id })).toMatchObject({ deleted: true });
    await expect(create([id])).rejects.toMatchObject({ code: 'validation_failed' });
  });

  it('brings with a replay what it would send now, by its conditions', async () => {
    const id = await config();
    await publish(1);
    const large = await publish(20_000);
    await publish(20_000, 'opportunity.lost');
    const { id: automation } = await create([id], { conditions: 'data.value > 10000' });
    const replay = () => h.core.replayConfig(h.owner, { config_id: id, since: '2020-01-01T00:00:00Z' });
    expect(await replay()).toMatchObject({ queued: 1 });
    const { data } = await h.core.listDeliveries(h.owner, { endpoint_id: id });
    expect(data).toMatchObject([{ event_id: large.id }]);
    await change(automation, { conditions: null });
    expect(await replay()).toMatchObject({ queued: 1 });
    await change(automation, { enabled: false });
    expect(await replay()).toMatchObject({ queued: 0 });
  });
});

describe('what an automation takes', () => {
  beforeEach(async () => {
    h = await startHarness();
  });
  afterEach(() => h.close());

  it('is a trigger of the catalogue, conditions of the language, and configs of the workspace, each once', async () => {
    const id = await config();
    const { id: subscription } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] });
    const wrong: [object, string, string][] = [
      [{ trigger_event: 'opportunity.wom' }, 'unknown_event_type', '/trigger_event'],
      [{ conditions: 'data.' }, 'invalid_expression', '/conditions'],
      [{ actions: actionsOf(id, 'cfg_00000000000000000000000000') }, 'validation_failed', '/actions/1/config_id'],
      [{ actions: actionsOf(subscription) }, 'validation_failed', '/actions/0/config_id'],
      [{ actions: actionsOf(id, id) }, 'validation_failed', '/actions/1/config_id'],
      [{ actions: [{ type: 'email', config_id: id }] }, 'validation_failed', '/actions/0/type'],
      [{ actions: [] }, 'validation_failed', '/actions'],
      [{ name: '' }, 'validation_failed', '/name'],
      [{ name: 'x'.repeat(limits.nameCharactersMax + 1) }, 'validation_failed', '/name'],
    ];
    const { id: automation, ...before } = await create([id]);
    for (const [more, code, path] of wrong) {
      await expect(create([id], more)).rejects.toMatchObject({ code, errors: [{ path }] });
      await expect(change(automation, more)).rejects.toMatchObject({ code, errors: [{ path }] });
    }
    expect((await h.core.listAutomations(h.owner, {})).data).toEqual([{ id: automation, ...before }]);
  });

  it('is as many actions and automations as the limits say', async () => {
    const ids: string[] = [];
    for (let nth = 0; nth <= limits.actionsPerAutomationMax; nth++) ids.push(await config());
    const name = 'x'.repeat(limits.nameCharactersMax);
    const full = await create(ids.slice(1), { name });
    expect(full.actions).toHaveLength(limits.actionsPerAutomationMax);
    await expect(create(ids)).rejects.toMatchObject({ errors: [{ path: '/actions' }] });
    // One by one they would take seconds.
    const db = new SqliteDatabase(h.databaseUrl.replace('file:', ''));
    db.prepare(
      `with recursive n (i) as (values (1) union all select i + 1 from n where i < ?)
       insert into automations (public_id, workspace_id, name, trigger_event, enabled, fired_count, error_count,
         created_at, updated_at)
       select 'aut_' || i, workspace_id, name, trigger_event, 0, 0, 0, created_at, updated_at from n, automations`,
    ).run(limits.automationsPerWorkspaceMax - 2);
    db.close();
    await create(ids.slice(0, 1));
    await expect(create(ids.slice(0, 1))).rejects.toMatchObject({ code: 'limit_reached' });
    await h.core.deleteAutomation(h.owner, { automation_id: full.id });
    expect(await create(ids.slice(0, 1))).toMatchObject({ enabled: true });
  });

  it('is tried on what happened, without sending anything', async () => {
    const { id } = await create([await config()], { conditions: 'data.value > 1' });
    await publish(2);
    await publish(1);
    await publish(2, 'task.created');
    const { looked_at, matched, events } = await h.core.dryRunAutomation(h.owner, { automation_id: id });
    expect({ looked_at, matched }).toEqual({ looked_at: 3, matched: 1 });
    expect(events.map(({ verdict }) => verdict)).toEqual(['type_not_chosen', 'condition_false', 'matched']);
  });
});

describe('an automation and the rest of Posthorn', () => {
  it('calls nothing that waits for approval, until it is approved', async () => {
    h = await startHarness({ environment: { POSTHORN_NEW_HOSTS: 'approve' } });
    const id = await config();
    await create([id]);
    expect(await owed()).toBe(0);
    await expect(h.core.testConfig(h.owner, { config_id: id })).rejects.toMatchObject({ code: 'pending_approval' });
    await h.core.approveConfig(h.owner, { config_id: id, url: `${h.receiver.url}/hook` });
    expect(await owed()).toBe(1);
    await h.close();
  });

  it('cannot come round to itself: its own server is no target, and what it calls publishes nothing', async () => {
    const environment = { POSTHORN_PUBLIC_URL: 'https://posthorn.example', POSTHORN_ALLOW_TARGETS: '127.0.0.1/32' };
    h = await startHarness({ environment });
    await expect(config({ url: 'https://posthorn.example/v1/events' })).rejects.toMatchObject({
      code: 'target_not_allowed',
    });
    await expect(config({ url: 'https://POSTHORN.example./v1/events' })).rejects.toMatchObject({
      code: 'target_not_allowed',
    });
    const id = await config();
    await create([id], { trigger_event: '*' });
    await publish();
    await h.posthorn.startDispatcher();
    await until(async () => (await logs(id)).length === 1);
    expect((await h.core.listEvents(h.owner, {})).data).toHaveLength(1);
    await h.close();
  });

  it('takes part in events that are too wide for one transaction', async () => {
    const database = await sqliteEngine.create();
    const store = await database.open();
    h = await startHarness({ databaseUrl: database.url, ports: { store } });
    const { workspaceId } = h.owner;
    for (let nth = 0; nth < fanOutNowMax; nth++)
      await seedEndpoint(store, workspaceId, { events: ['opportunity.won'] });
    const id = await config();
    await create([id], { conditions: 'data.value > 1' });
    const ports = { store, clock: h.clock, conditions: makeConditions(), schemas };
    for (const value of [1, 2]) {
      await publish(value);
      await new FanOut(ports, () => true).run();
    }
    const { data } = await h.core.listDeliveries(h.owner, { endpoint_id: id });
    expect(data).toHaveLength(1);
    await h.close();
    await database.close();
  });
});
