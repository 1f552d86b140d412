import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';

let h: Harness;
let id: string;
beforeEach(async () => {
  h = await startHarness({ environment: { POSTHORN_RETRY_SCHEDULE: '1s' } });
  ({ id } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['contact.*'] }));
});
afterEach(() => h.close());

const publish = (eventId: string, type = 'contact.created') => h.core.publish(h.owner, { type, id: eventId, data: {} });
const logs = async () => (await h.core.listSubscriptionLogs(h.owner, { subscription_id: id })).data;
const deliveryOf = async (eventId: string) => (await h.core.getEvent(h.owner, { event_id: eventId })).deliveries[0];
const settled = (eventId: string, status: string) => until(async () => (await deliveryOf(eventId))?.status === status);
const setStatus = (status: string) => h.core.updateSubscription(h.owner, { subscription_id: id, status });
const replay = (more: object = {}) =>
  h.core.replaySubscription(h.owner, { subscription_id: id, since: '2026-11-23T00:00:00Z', ...more });
const receivedIds = () => h.receiver.requests.map(({ headers }) => String(headers['webhook-id']));

async function failForGood(eventId: string): Promise<void> {
  const before = (await logs()).length;
  h.receiver.respond((_request, response) => response.writeHead(500).end());
  await publish(eventId);
  await until(async () => (await logs()).length === before + 1);
  h.clock.advance(1_200);
  await settled(eventId, 'failed');
  h.receiver.answer();
}

describe('retry', () => {
  it('sends a failed delivery once more, now, and numbers go on', async () => {
    await h.posthorn.startDispatcher();
    await failForGood('evt-1');
    const delivery = await deliveryOf('evt-1');
    const retried = await h.core.retryDelivery(h.owner, { delivery_id: delivery?.id ?? '' });
    expect(retried.id).toBe(delivery?.id);
    await settled('evt-1', 'succeeded');
    expect((await logs()).map(({ attempt }) => attempt)).toEqual([3, 2, 1]);
  });

  it('fails again at once when the receiver still fails: it is one more attempt, not a new schedule', async () => {
    await h.posthorn.startDispatcher();
    await failForGood('evt-1');
    h.receiver.respond((_request, response) => response.writeHead(500).end());
    await h.core.retryDelivery(h.owner, { delivery_id: (await deliveryOf('evt-1'))?.id ?? '' });
    await until(async () => (await logs()).length === 3);
    expect(await deliveryOf('evt-1')).toMatchObject({ status: 'failed', attempts: 3, next_attempt_at: null });
  });

  it('frees an endpoint that is held back', async () => {
    h.receiver.respond((_request, response, nth) =>
      nth === 1 ? response.writeHead(503, { 'retry-after': '600' }).end() : response.writeHead(204).end(),
    );
    await h.posthorn.startDispatcher();
    await publish('evt-1');
    await until(async () => (await logs()).length === 1);
    await h.core.retryDelivery(h.owner, { delivery_id: (await deliveryOf('evt-1'))?.id ?? '' });
    await settled('evt-1', 'succeeded');
    expect(await h.core.getSubscription(h.owner, { subscription_id: id })).toMatchObject({ held_until: null });
  });

  it('is refused while the endpoint is not active, for tests, canceled and unknown deliveries', async () => {
    await publish('evt-1');
    const delivery_id = (await deliveryOf('evt-1'))?.id ?? '';
    await setStatus('paused');
    await expect(h.core.retryDelivery(h.owner, { delivery_id })).rejects.toMatchObject({ code: 'not_active' });
    const test = await h.core.testSubscription(h.owner, { subscription_id: id });
    await expect(h.core.retryDelivery(h.owner, { delivery_id: test.delivery_id })).rejects.toMatchObject({
      code: 'not_retryable',
    });
    await h.core.eraseEventData(h.owner, { event_id: 'evt-1' });
    await expect(h.core.retryDelivery(h.owner, { delivery_id })).rejects.toMatchObject({ code: 'not_retryable' });
    for (const unknown of ['dlv_00000000zzz', 'dlv_0000000vvvv', 'nonsense']) {
      await expect(h.core.retryDelivery(h.owner, { delivery_id: unknown })).rejects.toMatchObject({
        code: 'not_found',
      });
    }
  });
});

describe('replay', () => {
  it('brings what was published while the endpoint was paused', async () => {
    await h.posthorn.startDispatcher();
    await setStatus('paused');
    await publish('evt-1');
    await publish('evt-2');
    await publish('evt-3', 'form.submitted');
    await setStatus('active');
    expect(await replay({ status: 'failed' })).toEqual({ queued: 0, next_since: null });
    expect(await replay({ status: 'missed' })).toEqual({ queued: 2, next_since: null });
    await h.receiver.received(2);
    expect(receivedIds().toSorted()).toEqual(['evt-1', 'evt-2']);
    await settled('evt-2', 'succeeded');
    await settled('evt-1', 'succeeded');
    expect(await replay()).toEqual({ queued: 0, next_since: null });
  });

  it('queues failed ones with a fresh schedule, and delivered ones only when all are asked for', async () => {
    await h.posthorn.startDispatcher();
    await publish('evt-1');
    await settled('evt-1', 'succeeded');
    await failForGood('evt-2');
    h.receiver.respond((_request, response) => response.writeHead(500).end());
    expect(await replay({ status: 'failed' })).toEqual({ queued: 1, next_since: null });
    await until(async () => (await logs()).length === 4);
    // A fresh schedule: one more failure and it still has a retry left.
    expect(await deliveryOf('evt-2')).toMatchObject({ status: 'pending', attempts: 3 });
    h.receiver.answer();
    h.clock.advance(1_200);
    await settled('evt-2', 'succeeded');
    expect(await replay({ status: 'all' })).toEqual({ queued: 2, next_since: null });
    await settled('evt-1', 'succeeded');
  });

  it('looks only at the time that was asked for, and not at tests or erased events', async () => {
    await setStatus('paused');
    await publish('evt-1');
    h.clock.advance(60_000);
    await publish('evt-2');
    await publish('evt-3');
    await h.core.eraseEventData(h.owner, { event_id: 'evt-3' });
    await h.core.testSubscription(h.owner, { subscription_id: id });
    await setStatus('active');
    expect(await replay({ until: '2026-11-23T10:00:30Z' })).toMatchObject({ queued: 1 });
    expect(await replay({ since: '2026-11-23T10:00:30Z' })).toMatchObject({ queued: 1 });
    expect(await deliveryOf('evt-1')).toMatchObject({ status: 'pending' });
  });

  it('stops after 10,000 and says where to go on', async () => {
    await setStatus('paused');
    for (let batch = 0; batch < 11; batch++) {
      const events = Array.from({ length: 1_000 }, () => ({ type: 'contact.created', data: {} }));
      await h.core.publishMany(h.owner, events);
      h.clock.advance(1_000);
    }
    await setStatus('active');
    expect(await replay()).toEqual({ queued: 10_000, next_since: '2026-11-23T10:00:10.000Z' });
    expect(await replay({ since: '2026-11-23T10:00:10.000Z' })).toEqual({ queued: 1_000, next_since: null });
    expect(await h.core.getSubscription(h.owner, { subscription_id: id })).toMatchObject({ pending_count: 11_000 });
  });

  it('is refused while the endpoint is not active', async () => {
    await setStatus('paused');
    await expect(replay()).rejects.toMatchObject({ code: 'not_active' });
  });
});

describe('erasing a payload', () => {
  it('keeps the log, cancels what is pending and cannot be undone', async () => {
    await publish('evt-1');
    expect(await h.core.getEvent(h.owner, { event_id: 'evt-1' })).toMatchObject({ data: {} });
    await h.core.eraseEventData(h.owner, { event_id: 'evt-1' });
    expect(await h.core.getEvent(h.owner, { event_id: 'evt-1' })).toMatchObject({
      data: null,
      deliveries: [{ status: 'canceled' }],
    });
    expect(await h.core.getSubscription(h.owner, { subscription_id: id })).toMatchObject({ pending_count: 0 });
    // Published again under its id, it is still the same event, and nothing is sent.
    expect(await publish('evt-1')).toMatchObject({ repeated: true });
  });

  it('sends nothing more when it is erased while an attempt is under way', async () => {
    const answers: (() => void)[] = [];
    h.receiver.respond((_request, response) => void answers.push(() => response.writeHead(500).end()));
    await h.posthorn.startDispatcher();
    await publish('evt-1');
    await h.receiver.received(1);
    await h.core.eraseEventData(h.owner, { event_id: 'evt-1' });
    answers[0]?.();
    await until(async () => (await logs()).length === 1);
    h.clock.advance(1_200);
    await settled('evt-1', 'canceled');
    expect(h.receiver.requests).toHaveLength(1);
    expect(await h.core.getSubscription(h.owner, { subscription_id: id })).toMatchObject({ pending_count: 0 });
  });
});
