import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../src/core/types.ts';
import type { Scope } from '../../src/core/vocabulary.ts';
import { type Harness, startHarness } from '../support/harness.ts';

let h: Harness;
beforeEach(async () => {
  h = await startHarness({ environment: { POSTHORN_ALLOW_TARGETS: '127.0.0.1/32,hooks.internal,other.internal' } });
});
afterEach(() => h.close());

const create = (more: object = {}) =>
  h.core.createSubscription(h.owner, { url: `${h.receiver.url}/a`, events: ['*'], ...more });

/** A principal with a key of its own, made by `by`. */
async function keyHolder(by: Principal, scopes: Scope[]): Promise<Principal> {
  const { key } = await h.core.createKey(by, { name: 'k', scopes });
  return h.core.authenticate(key, { face: 'rest', client: null });
}

describe('creating', () => {
  it('shows a secret that it made, once', async () => {
    const made = await create();
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await h.core.getSubscription(h.owner, { subscription_id: made.id })).not.toHaveProperty('secret');
    expect(await create({ secret: 'chosen by me' })).not.toHaveProperty('secret');
  });

  it.each([
    [{ url: 'http://169.254.169.254/' }, 'target_not_allowed', '/url'],
    [{ url: 'nonsense' }, 'target_not_allowed', '/url'],
    [{ events: ['contact.create'] }, 'unknown_event_type', '/events/0'],
    [{ events: [] }, 'validation_failed', '/events'],
    [{ secret: 'short' }, 'validation_failed', '/secret'],
    [{ secret: 'whsec_AAAA' }, 'validation_failed', '/secret'],
    [{ color: 'red' }, 'validation_failed', '/color'],
    [{ description: 'x'.repeat(501) }, 'validation_failed', '/description'],
  ])('refuses %j with %s', async (more, code, path) => {
    const refused = create(more);
    await expect(refused).rejects.toMatchObject({ code, errors: [{ path }] });
    expect((await h.core.listSubscriptions(h.owner, {})).data).toEqual([]);
  });

  it('names the nearest right event types', async () => {
    await expect(create({ events: ['contact.create'] })).rejects.toThrow('Did you mean contact.created');
  });

  it('warns when the host does not resolve now', async () => {
    expect(await create({ url: 'https://hooks.internal/x' })).toMatchObject({
      warning: expect.stringContaining('does not resolve') as string,
    });
  });

  it('answers the same under the same idempotency key, secret included, for 24 hours', async () => {
    const first = await create({ idempotency_key: 'k1' });
    expect(await create({ idempotency_key: 'k1' })).toEqual(first);
    await expect(create({ idempotency_key: 'k1', events: ['contact.*'] })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
    h.clock.advance(24 * 3_600_000);
    const later = await create({ idempotency_key: 'k1' });
    expect(later.id).not.toBe(first.id);
  });
});

describe('rotating the secret', () => {
  it('signs with both while they overlap, then with the new one alone', async () => {
    const { id, secret: old = '' } = await create({ events: ['contact.created'] });
    const { secret: fresh = '' } = await h.core.rotateSecret(h.owner, { subscription_id: id, overlap: '1h' });
    expect(fresh).not.toBe(old);
    const plain = (secret: string, body = '') => createHmac('sha256', secret).update(body).digest('hex');
    await h.core.testSubscription(h.owner, { subscription_id: id });
    const [during] = await h.receiver.received(1);
    expect(during?.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
    expect(during?.headers['x-trustpager-signature']).toBe(plain(old, during?.body));
    expect(during?.headers['x-trustpager-signature-next']).toBe(plain(fresh, during?.body));
    h.clock.advance(3_600_000);
    await h.core.testSubscription(h.owner, { subscription_id: id });
    const after = (await h.receiver.received(2))[1];
    expect(after?.headers['webhook-signature']).toMatch(/^v1,\S+$/);
    expect(after?.headers['x-trustpager-signature']).toBe(plain(fresh, after?.body));
    expect(after?.headers).not.toHaveProperty('x-trustpager-signature-next');
  });

  it('again ends the overlap that still runs: two sign at most, and with 0s the new one alone', async () => {
    const { id } = await create();
    const rotate = async (overlap: string) =>
      (await h.core.rotateSecret(h.owner, { subscription_id: id, overlap })).secret;
    const signedBy = async (secret: string | undefined, nth: number) => {
      await h.core.testSubscription(h.owner, { subscription_id: id });
      const request = (await h.receiver.received(nth))[nth - 1];
      const plain = createHmac('sha256', secret ?? '')
        .update(request?.body ?? '')
        .digest('hex');
      const names = ['x-trustpager-signature', 'x-trustpager-signature-next'];
      const carrying = names.find((name) => request?.headers[name] === plain);
      return [String(request?.headers['webhook-signature']).split(' ').length, carrying];
    };
    await rotate('1h');
    const second = await rotate('1h');
    expect(await signedBy(second, 1)).toEqual([2, 'x-trustpager-signature-next']);
    expect(await signedBy(await rotate('0s'), 2)).toEqual([1, 'x-trustpager-signature']);
  });

  it.each(['8d', '7d1h', '-1h', 'x'])('refuses an overlap of %s', async (overlap) => {
    const { id } = await create();
    await expect(h.core.rotateSecret(h.owner, { subscription_id: id, overlap })).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ path: '/overlap' }],
    });
  });
});

describe('approval', () => {
  beforeEach(async () => {
    await h.close();
    h = await startHarness({
      environment: { POSTHORN_NEW_HOSTS: 'approve', POSTHORN_ALLOW_TARGETS: '127.0.0.1/32,other.internal' },
    });
  });

  it('lets nothing out to a new host before somebody else approves it', async () => {
    const agent = await keyHolder(h.owner, ['webhooks:read', 'webhooks:write', 'webhooks:approve', 'keys:admin']);
    const { id, status } = await h.core.createSubscription(agent, { url: h.receiver.url, events: ['*'] });
    expect(status).toBe('pending_approval');
    expect((await h.core.publish(h.owner, { type: 'contact.created', data: {} })).published.deliveries).toBe(0);
    await expect(h.core.testSubscription(agent, { subscription_id: id })).rejects.toMatchObject({
      code: 'pending_approval',
    });
    await expect(h.core.updateSubscription(agent, { subscription_id: id, status: 'active' })).rejects.toMatchObject({
      code: 'pending_approval',
    });
    await expect(h.core.approveSubscription(agent, { subscription_id: id })).rejects.toMatchObject({
      code: 'approval_denied',
    });
    const child = await keyHolder(agent, ['webhooks:approve', 'keys:admin', 'webhooks:read']);
    const grandchild = await keyHolder(child, ['webhooks:approve', 'webhooks:read']);
    await expect(h.core.approveSubscription(grandchild, { subscription_id: id })).rejects.toMatchObject({
      code: 'approval_denied',
    });
    expect(h.receiver.requests).toHaveLength(0);
    expect(await h.core.approveSubscription(h.owner, { subscription_id: id })).toMatchObject({ status: 'active' });
    expect((await h.core.publish(h.owner, { type: 'contact.created', data: {} })).published.deliveries).toBe(1);
  });

  it('knows a host that was approved, and starts over when the URL moves to a new one', async () => {
    const { id } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] });
    await h.core.approveSubscription(h.owner, { subscription_id: id });
    expect(await h.core.createSubscription(h.owner, { url: `${h.receiver.url}/b`, events: ['*'] })).toMatchObject({
      status: 'active',
    });
    const moved = await h.core.updateSubscription(h.owner, { subscription_id: id, url: 'https://other.internal/' });
    expect(moved.status).toBe('pending_approval');
  });

  it('a paused endpoint cannot be unpaused onto a new host', async () => {
    const { id } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] });
    await h.core.approveSubscription(h.owner, { subscription_id: id });
    const moved = await h.core.updateSubscription(h.owner, {
      subscription_id: id,
      url: 'https://other.internal/',
      status: 'active',
    });
    expect(moved.status).toBe('pending_approval');
  });

  it('pausing what waits for approval does not lose that it waits', async () => {
    const { id } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] });
    await expect(h.core.updateSubscription(h.owner, { subscription_id: id, status: 'paused' })).rejects.toMatchObject({
      code: 'pending_approval',
    });
  });
});

describe('the catalogue', () => {
  it('takes event types of the workspace, which can then be chosen and published', async () => {
    const type = { name: 'invoice.paid', description: 'An invoice was paid.', example: { total: 12 } };
    await expect(create({ events: ['invoice.paid'] })).rejects.toMatchObject({ code: 'unknown_event_type' });
    await h.core.putEventType(h.owner, type);
    await create({ events: ['invoice.*'] });
    expect((await h.core.publish(h.owner, { type: 'invoice.paid', data: { total: 1 } })).published.deliveries).toBe(1);
    await h.core.deleteEventType(h.owner, { name: 'invoice.paid' });
    await expect(h.core.publish(h.owner, { type: 'invoice.paid', data: {} })).rejects.toMatchObject({
      code: 'unknown_event_type',
    });
  });

  it('changes a built-in type and gives it back', async () => {
    await h.core.putEventType(h.owner, { name: 'contact.created', description: 'Ours.', example: { a: 1 } });
    const find = async () =>
      (await h.core.listEventTypes(h.owner, {})).data.find(({ name }) => name === 'contact.created');
    expect(await find()).toMatchObject({ description: 'Ours.', built_in: true });
    await h.core.deleteEventType(h.owner, { name: 'contact.created' });
    expect(await find()).toMatchObject({ description: 'A contact was added.' });
    await expect(h.core.deleteEventType(h.owner, { name: 'contact.created' })).rejects.toMatchObject({
      code: 'built_in',
    });
  });
});

describe('publishing', () => {
  it('takes an array whole or not at all, and says what is wrong with each', async () => {
    const good = { type: 'contact.created', data: {} };
    await expect(
      h.core.publishMany(h.owner, [good, { type: 'contact.create', data: {} }, { type: 'nope', data: {} }]),
    ).rejects.toMatchObject({ code: 'unknown_event_type', errors: [{ path: '/1/type' }, { path: '/2/type' }] });
    await h.core.publish(h.owner, { ...good, id: 'a' });
    await expect(
      h.core.publishMany(h.owner, [
        { ...good, id: 'new' },
        { ...good, id: 'a', data: { other: 1 } },
      ]),
    ).rejects.toMatchObject({ code: 'event_id_conflict', errors: [{ path: '/1/id' }] });
    await expect(h.core.getEvent(h.owner, { event_id: 'new' })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('keeps a key named __proto__ and every byte of a string', async () => {
    const data = JSON.parse('{"__proto__":{"a":1},"text":"\\u2028\\ud83d\\ude00\\u0000"}') as object;
    await h.core.publish(h.owner, { type: 'contact.created', data, id: 'odd' });
    const event = await h.core.getEvent(h.owner, { event_id: 'odd' });
    expect(JSON.stringify(event.data)).toBe(JSON.stringify(data));
  });

  it('holds a key to its rate and says when to come back', async () => {
    await h.close();
    h = await startHarness({ environment: { POSTHORN_PUBLISH_RATE: '2' } });
    const publish = () => h.core.publish(h.owner, { type: 'contact.created', data: {} });
    await publish();
    await publish();
    await expect(publish()).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 30 });
    h.clock.advance(30_000);
    expect((await publish()).repeated).toBe(false);
  });
});
