import { createHmac, timingSafeEqual } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maskedValue } from '../../src/core/rules/headers.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { engines, type TestDatabase } from '../support/stores.ts';
import { until } from '../support/until.ts';

const canary = 'Bearer canary-5c0e';

let h: Harness;
const create = (more: object = {}) =>
  h.core.createConfig(h.owner, { name: 'Notify the team', url: `${h.receiver.url}/hook`, ...more });
const show = (id: string) => h.core.getConfig(h.owner, { config_id: id });
const change = (id: string, more: object) => h.core.updateConfig(h.owner, { config_id: id, ...more });
const logs = async (id: string) => (await h.core.listConfigLogs(h.owner, { config_id: id })).data;
const publish = async (data: object = {}, type = 'contact.created') =>
  (await h.core.publish(h.owner, { type, data })).published;

/** What the reference tells receivers to do. */
function verifies(rawBody: string, signature: unknown, secret = ''): boolean {
  const expected = createHmac('sha256', secret).update(rawBody).digest('hex');
  return typeof signature === 'string' && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

describe.each(engines)('a webhook config on $name', (engine) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await engine.create();
    h = await startHarness({ databaseUrl: database.url });
  });
  afterEach(async () => {
    await h.close();
    await database.close();
  });

  it('is made, tested, fired by its trigger and read back, and a receiver of the reference accepts it', async () => {
    const headers = { Authorization: canary, 'X-Team': 'sales' };
    const made = await create({ headers, trigger_events: ['contact.*'] });
    expect(made).toMatchObject({
      id: expect.stringMatching(/^cfg_/),
      name: 'Notify the team',
      headers: { Authorization: maskedValue, 'X-Team': maskedValue },
      trigger_events: ['contact.*'],
      include_trigger_data: true,
      status: 'active',
      secret: expect.stringMatching(/^whsec_/),
    });
    expect(await show(made.id)).not.toHaveProperty('secret');
    const tested = await h.core.testConfig(h.owner, { config_id: made.id });
    expect(tested).toMatchObject({ is_test: true, response_code: 204, url: `${h.receiver.url}/hook`, error: null });
    await h.posthorn.startDispatcher();
    expect(await publish({ name: 'Ada' })).toMatchObject({ deliveries: 1 });
    const [test, live] = await h.receiver.received(2);
    expect(test?.headers['x-trustpager-test']).toBe('true');
    for (const request of [test, live]) {
      expect(request?.headers).toMatchObject({ authorization: canary, 'x-team': 'sales' });
      expect(verifies(request?.body ?? '', request?.headers['x-trustpager-signature'], made.secret)).toBe(true);
    }
    expect(JSON.parse(live?.body ?? '')).toMatchObject({ type: 'contact.created', data: { name: 'Ada' } });
    await until(async () => (await logs(made.id)).length === 2);
    const rows = await logs(made.id);
    expect(rows.map(({ is_test, event_type, duration_ms }) => [is_test, event_type, typeof duration_ms])).toEqual([
      [false, 'contact.created', 'number'],
      [true, 'contact.created', 'number'],
    ]);
    const all = await h.core.listLogs(h.owner, { endpoint_id: made.id });
    expect(all.data).toEqual(rows);
    expect((await h.core.listDeliveries(h.owner, { endpoint_id: made.id })).data).toHaveLength(2);
    await h.core.retryDelivery(h.owner, { delivery_id: rows[0]?.delivery_id });
    await h.receiver.received(3);
  });

  it('shows the value of a header nowhere: not in the database, its files, answers, errors or logs', async () => {
    const { id, ...made } = await create({ headers: { Authorization: canary }, trigger_events: ['*'] });
    h.receiver.answer(500);
    await h.posthorn.startDispatcher();
    await publish();
    await until(async () => (await logs(id)).length === 1);
    await change(id, { name: 'Other' });
    const broken = await change(id, { headers: { Host: canary, 'X-B': `${canary}\n` } }).catch(
      (error: unknown) => error,
    );
    const rows = await Promise.all(
      (['endpoints', 'endpoint_secrets', 'attempts', 'audit', 'idempotency_keys'] as const).map((table) =>
        database.db.selectFrom(table).selectAll().execute(),
      ),
    );
    const bytes = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value));
    const stored = rows.flat().flatMap((row) => Object.values(row).map(bytes));
    const told = [made, broken, await show(id), await logs(id), (await h.core.listConfigs(h.owner, {})).data, h.logs];
    const seen = [...stored, ...files(), ...told.map((one) => JSON.stringify(one))];
    expect(seen.filter((text) => text.includes('canary'))).toEqual([]);
    // It was there to be seen: the receiver got it.
    expect(h.receiver.requests[0]?.headers['authorization']).toBe(canary);
    expect(seen.filter((text) => text.includes('Notify the team')).length).toBeGreaterThan(0);
  });

  /** The database with its log, where it has files. */
  function files(): string[] {
    if (engine.name !== 'sqlite') return [];
    const folder = dirname(fileURLToPath(database.url));
    return readdirSync(folder).map((file) => readFileSync(`${folder}/${file}`, 'latin1'));
  }

  it('is changed from the next request on: headers, data, name and triggers', async () => {
    const { id } = await create({ headers: { A: 'one', B: 'two' }, trigger_events: ['*'] });
    await h.posthorn.startDispatcher();
    await publish();
    await h.receiver.received(1);
    const headers = { b: maskedValue, C: 'three' };
    const patch = { headers, include_trigger_data: false, name: 'Other', trigger_events: ['task.*'] };
    expect(await change(id, patch)).toMatchObject({
      name: 'Other',
      headers: { b: maskedValue, C: maskedValue },
      include_trigger_data: false,
      trigger_events: ['task.*'],
    });
    expect(await publish()).toMatchObject({ deliveries: 0 });
    await publish({ secret: 'words' }, 'task.created');
    const second = (await h.receiver.received(2))[1];
    expect(second?.headers).toMatchObject({ b: 'two', c: 'three' });
    expect(second?.headers).not.toHaveProperty('a');
    expect(JSON.parse(second?.body ?? '')).not.toHaveProperty('data');
    await change(id, { headers: {} });
    expect((await show(id)).headers).toEqual({});
  });

  it('is deleted with what it is owed, and pausing, 410 and replay are as for subscriptions', async () => {
    const { id } = await create({ trigger_events: ['*'] });
    await change(id, { status: 'paused' });
    await publish();
    await h.posthorn.startDispatcher();
    await change(id, { status: 'active' });
    const since = '2020-01-01T00:00:00Z';
    expect(await h.core.replayConfig(h.owner, { config_id: id, since })).toMatchObject({ queued: 1 });
    await h.receiver.received(1);
    h.receiver.answer(410);
    await publish();
    await until(async () => (await show(id)).status === 'disabled');
    expect(await show(id)).toMatchObject({ disabled_reason: 'gone' });
    const { secret } = await h.core.rotateConfigSecret(h.owner, { config_id: id });
    expect(secret).toMatch(/^whsec_/);
    await h.core.deleteConfig(h.owner, { config_id: id });
    await expect(show(id)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('what a webhook config takes', () => {
  beforeEach(async () => {
    h = await startHarness({
      environment: {
        POSTHORN_ALLOW_TARGETS: '127.0.0.1/32,other.internal',
        POSTHORN_PUBLIC_URL: 'https://posthorn.example',
      },
    });
  });
  afterEach(() => h.close());

  it.each([
    [{ headers: { Host: 'a' } }, 'validation_failed', '/headers/Host'],
    [{ headers: { 'a b': 'a' } }, 'validation_failed', '/headers/a b'],
    [{ headers: { 'X-A': 'a\r\nb: c' } }, 'validation_failed', '/headers/X-A'],
    [{ headers: { 'X-A': maskedValue } }, 'validation_failed', '/headers/X-A'],
    [{ headers: { 'X-A': 1 } }, 'validation_failed', '/headers/X-A'],
    [{ headers: [] }, 'validation_failed', '/headers'],
    [{ headers: many(21) }, 'validation_failed', '/headers'],
    [{ trigger_events: ['contact.create'] }, 'unknown_event_type', '/trigger_events/0'],
    [{ name: '' }, 'validation_failed', '/name'],
    [{ name: 'x'.repeat(101) }, 'validation_failed', '/name'],
    [{ url: 'http://169.254.169.254/' }, 'target_not_allowed', '/url'],
    [{ url: 'https://posthorn.example/v1/events' }, 'target_not_allowed', '/url'],
    [{ secret: 'short' }, 'validation_failed', '/secret'],
  ])('refuses %j with %s', async (more, code, path) => {
    await expect(create(more)).rejects.toMatchObject({ code, errors: [{ path }] });
    expect((await h.core.listConfigs(h.owner, {})).data).toEqual([]);
  });

  it('is as much as the limits say, and one called like a prototype is a header like any other', async () => {
    await create({ headers: many(20), name: 'x'.repeat(100) });
    expect((await create({ headers: { constructor: 'a' } })).headers).toEqual({ constructor: maskedValue });
    const polluting = JSON.parse('{"__proto__":"a"}') as object;
    await expect(create({ headers: polluting })).rejects.toMatchObject({ errors: [{ path: '/headers/__proto__' }] });
  });

  it('does not take header values to another host, masked or left out, but new ones and none', async () => {
    const { id } = await create({ headers: { 'X-Key': 'canary' } });
    const url = 'https://other.internal/';
    const refused = { code: 'validation_failed', errors: [{ path: '/headers' }] };
    await expect(change(id, { url })).rejects.toMatchObject(refused);
    await expect(change(id, { url, headers: { 'X-Key': maskedValue } })).rejects.toMatchObject(refused);
    expect((await show(id)).url).toBe(`${h.receiver.url}/hook`);
    expect(await change(id, { url: `${h.receiver.url}/elsewhere` })).toMatchObject({
      headers: { 'X-Key': maskedValue },
    });
    expect(await change(id, { url, headers: { 'X-Key': 'new' } })).toMatchObject({ url });
    expect(await change(id, { url: h.receiver.url, headers: {} })).toMatchObject({ headers: {} });
  });

  it('keeps a stored header under a mask, and refuses a mask that stands for nothing', async () => {
    const { id } = await create({ headers: { 'X-Key': 'canary' } });
    const both = { 'X-Key': maskedValue, 'X-Other': maskedValue };
    await expect(change(id, { headers: both })).rejects.toMatchObject({ errors: [{ path: '/headers/X-Other' }] });
    await change(id, { headers: { 'X-Key': maskedValue } });
    await h.core.testConfig(h.owner, { config_id: id });
    expect(h.receiver.requests[0]?.headers['x-key']).toBe('canary');
  });

  it('answers the same under the same idempotency key, and no subscription answers for it', async () => {
    const first = await create({ idempotency_key: 'k' });
    expect(await create({ idempotency_key: 'k' })).toEqual(first);
    await expect(create({ idempotency_key: 'k', name: 'x' })).rejects.toMatchObject({ code: 'idempotency_conflict' });
    await expect(h.core.getSubscription(h.owner, { subscription_id: first.id })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('tests one without triggers with any sample, and says why nothing comes', async () => {
    const { id } = await create();
    expect(await h.core.testConfig(h.owner, { config_id: id })).toMatchObject({ status: 'succeeded' });
    await h.posthorn.startDispatcher();
    await publish();
    expect((await show(id)).diagnosis).toContain('only automations fire it');
  });
});

function many(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, nth) => [`X-${nth}`, 'a']));
}
