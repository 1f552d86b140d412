import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';

let h: Harness;
beforeEach(async () => {
  h = await startHarness();
});
afterEach(() => h.close());

async function subscribe(events = ['*'], more: object = {}): Promise<string> {
  const { id } = await h.core.createSubscription(h.owner, { url: `${h.receiver.url}/hook`, events, ...more });
  return id;
}
const publish = (id: string, type = 'contact.created') =>
  h.core.publish(h.owner, { type, id, data: { name: 'Ada' }, occurred_at: '2026-11-23T10:00:00Z' });
const logs = async (id: string, more: object = {}) =>
  (await h.core.listSubscriptionLogs(h.owner, { subscription_id: id, ...more })).data;
const show = (id: string) => h.core.getSubscription(h.owner, { subscription_id: id });
/** Waits for `count` recorded attempts. */
const attempted = (id: string, count: number) => until(async () => (await logs(id)).length >= count);

describe('the main job', () => {
  it('delivers what is published, signed, and logs it', async () => {
    const id = await subscribe(['contact.*']);
    await h.posthorn.startDispatcher();
    const { published, repeated } = await publish('evt-1');
    expect({ published, repeated }).toEqual({ published: { id: 'evt-1', deliveries: 1 }, repeated: false });
    const [request] = await h.receiver.received(1);
    expect(request?.path).toBe('/hook');
    expect(request?.body).toBe(
      '{"id":"evt-1","type":"contact.created","timestamp":"2026-11-23T10:00:00.000Z","data":{"name":"Ada"}}',
    );
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'evt-1',
      'webhook-timestamp': String(Date.parse('2026-11-23T10:00:00Z') / 1_000),
      'x-trustpager-event': 'contact.created',
    });
    expect(request?.headers['user-agent']).toMatch(/^Posthorn\/\d+\.\d+\.\d+$/);
    expect(request?.headers['x-trustpager-test']).toBeUndefined();
    await attempted(id, 1);
    expect(await logs(id)).toMatchObject([
      { attempt: 1, status: 'succeeded', response_code: 204, error: null, is_test: false, event_id: 'evt-1' },
    ]);
    expect(await show(id)).toMatchObject({
      pending_count: 0,
      failure_count: 0,
      last_error: null,
      next_attempt_at: null,
    });
  });

  it('retries by the schedule until the receiver takes it', async () => {
    h.receiver.answer(500, 503);
    const id = await subscribe();
    await h.posthorn.startDispatcher();
    await publish('evt-2');
    await attempted(id, 1);
    const first = await show(id);
    expect(first).toMatchObject({
      failure_count: 1,
      last_error: 'http_5xx',
      last_response_code: 500,
      pending_count: 1,
    });
    expect(first.next_attempt_at).toBe('2026-11-23T10:00:05.000Z');
    h.clock.advance(4_900);
    expect(h.receiver.requests).toHaveLength(1);
    h.clock.advance(100);
    await attempted(id, 2);
    h.clock.jump(300_000);
    await attempted(id, 3);
    const rows = await logs(id);
    expect(rows.map(({ attempt, response_code }) => [attempt, response_code])).toEqual([
      [3, 204],
      [2, 503],
      [1, 500],
    ]);
    expect(rows.map(({ next_attempt_at }) => next_attempt_at)).toEqual([
      null,
      '2026-11-23T10:05:05.000Z',
      '2026-11-23T10:00:05.000Z',
    ]);
    expect(new Set(h.receiver.requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['evt-2']));
    expect(new Set(h.receiver.requests.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3);
    expect(await show(id)).toMatchObject({ failure_count: 0, failing_since: null, pending_count: 0 });
  });

  it('delivers an event that is published twice once', async () => {
    const id = await subscribe();
    await h.posthorn.startDispatcher();
    await publish('evt-3');
    await attempted(id, 1);
    expect(await publish('evt-3')).toEqual({ published: { id: 'evt-3', deliveries: 1 }, repeated: true });
    await publish('evt-4');
    await attempted(id, 2);
    expect(h.receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual(['evt-3', 'evt-4']);
  });

  it('fails a delivery whose schedule is used up', async () => {
    await h.close();
    h = await startHarness({ environment: { POSTHORN_RETRY_SCHEDULE: '1s' } });
    h.receiver.respond((_request, response) => response.writeHead(500).end());
    const id = await subscribe();
    await h.posthorn.startDispatcher();
    await publish('evt-5');
    await attempted(id, 1);
    h.clock.advance(1_000);
    await attempted(id, 2);
    const event = await h.core.getEvent(h.owner, { event_id: 'evt-5' });
    expect(event.deliveries).toMatchObject([
      { status: 'failed', attempts: 2, next_attempt_at: null, last_error: 'http_5xx' },
    ]);
    expect(await show(id)).toMatchObject({ pending_count: 0, failure_count: 2 });
  });
});

describe('what the receiver answers', () => {
  it('410 disables at once, and what is pending waits', async () => {
    h.receiver.answer(410);
    const id = await subscribe();
    await h.posthorn.startDispatcher();
    await publish('evt-1');
    await until(async () => (await show(id)).status === 'disabled');
    expect(await show(id)).toMatchObject({ disabled_reason: 'gone', pending_count: 1, next_attempt_at: null });
    expect((await publish('evt-2')).published.deliveries).toBe(0);
    h.clock.jump(600_000);
    await h.core.updateSubscription(h.owner, { subscription_id: id, status: 'active' });
    await attempted(id, 2);
    expect(await show(id)).toMatchObject({
      status: 'active',
      disabled_reason: null,
      failure_count: 0,
      pending_count: 0,
    });
  });

  it('413 is not retried', async () => {
    h.receiver.answer(413);
    const id = await subscribe();
    await h.posthorn.startDispatcher();
    await publish('evt-1');
    await attempted(id, 1);
    expect(await logs(id)).toMatchObject([{ response_code: 413, next_attempt_at: null }]);
    expect(await show(id)).toMatchObject({ pending_count: 0, failure_count: 1 });
  });

  it('Retry-After holds the whole endpoint back, and a successful test frees it', async () => {
    h.receiver.respond((_request, response, nth) =>
      nth === 1 ? response.writeHead(429, { 'retry-after': '1800' }).end() : response.writeHead(204).end(),
    );
    const id = await subscribe();
    await h.posthorn.startDispatcher();
    await publish('evt-1');
    await attempted(id, 1);
    expect(await show(id)).toMatchObject({
      held_until: '2026-11-23T10:30:00.000Z',
      next_attempt_at: '2026-11-23T10:30:00.000Z',
    });
    await publish('evt-2');
    h.clock.jump(1_000_000);
    await until(async () => (await show(id)).diagnosis.includes('held back until 2026-11-23T10:30:00.000Z'));
    expect(h.receiver.requests).toHaveLength(1);
    const test = await h.core.testSubscription(h.owner, { subscription_id: id });
    expect(test).toMatchObject({ is_test: true, status: 'succeeded' });
    // The second event was only held back; the first was told to wait for itself.
    await attempted(id, 3);
    expect(h.receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual(['evt-1', test.event_id, 'evt-2']);
    h.clock.jump(800_000);
    await attempted(id, 4);
    expect((await show(id)).pending_count).toBe(0);
  });

  it('never follows a redirect', async () => {
    h.receiver.respond((_request, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    const id = await subscribe();
    await h.posthorn.startDispatcher();
    await publish('evt-1');
    await attempted(id, 1);
    expect(await logs(id)).toMatchObject([{ status: 'failed', error: 'http_3xx', response_code: 302 }]);
    expect(h.receiver.requests.map(({ path }) => path)).toEqual(['/hook']);
  });

  it('disables after the failures and the time that were set, and says why', async () => {
    await h.close();
    h = await startHarness({
      environment: {
        POSTHORN_DISABLE_AFTER_FAILURES: '2',
        POSTHORN_DISABLE_AFTER: '10s',
        POSTHORN_RETRY_SCHEDULE: '6s,6s,6s',
      },
    });
    h.receiver.respond((_request, response) => response.writeHead(400).end());
    const id = await subscribe();
    await h.posthorn.startDispatcher();
    await publish('evt-1');
    await attempted(id, 1);
    h.clock.advance(6_000);
    await attempted(id, 2);
    // Two failures, but only six seconds.
    expect(await show(id)).toMatchObject({ status: 'active', failure_count: 2 });
    h.clock.advance(6_000);
    await attempted(id, 3);
    expect(await show(id)).toMatchObject({
      status: 'disabled',
      disabled_reason: 'repeated_failures',
      failure_count: 3,
    });
    expect((await show(id)).diagnosis).toMatch(
      /disabled after 3 failed attempts.*HTTP 400.*set status to active, then replay/,
    );
  });
});

describe('people in between', () => {
  it('pausing keeps what is pending and makes nothing new', async () => {
    const id = await subscribe();
    await publish('evt-1');
    await h.core.updateSubscription(h.owner, { subscription_id: id, status: 'paused' });
    expect((await publish('evt-2')).published.deliveries).toBe(0);
    await h.posthorn.startDispatcher();
    h.clock.jump(60_000);
    expect(await show(id)).toMatchObject({ status: 'paused', pending_count: 1 });
    expect(h.receiver.requests).toHaveLength(0);
    await h.core.updateSubscription(h.owner, { subscription_id: id, status: 'active' });
    await attempted(id, 1);
    expect(h.receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual(['evt-1']);
  });

  it('deleting cancels what is owed', async () => {
    const id = await subscribe();
    await publish('evt-1');
    await h.core.deleteSubscription(h.owner, { subscription_id: id });
    const event = await h.core.getEvent(h.owner, { event_id: 'evt-1' });
    expect(event.deliveries).toMatchObject([{ status: 'canceled', next_attempt_at: null }]);
    await expect(show(id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('a test is sent now, marked, and changes no counter', async () => {
    h.receiver.answer(500);
    const id = await subscribe(['form.submitted']);
    const attempt = await h.core.testSubscription(h.owner, { subscription_id: id });
    expect(attempt).toMatchObject({
      is_test: true,
      status: 'failed',
      response_code: 500,
      event_type: 'form.submitted',
    });
    expect(h.receiver.requests[0]?.headers['x-trustpager-test']).toBe('true');
    expect(await show(id)).toMatchObject({
      failure_count: 0,
      last_attempt_at: null,
      last_error: null,
      pending_count: 0,
    });
    expect(await logs(id)).toMatchObject([{ id: attempt.id, is_test: true }]);
  });
});

describe('stopping', () => {
  it('lets attempts in flight end, and gives back what was not sent', async () => {
    await h.close();
    h = await startHarness({ environment: { POSTHORN_ENDPOINT_CONCURRENCY: '1' } });
    const answers: (() => void)[] = [];
    h.receiver.respond((_request, response) => void answers.push(() => response.writeHead(204).end()));
    const id = await subscribe();
    await h.posthorn.startDispatcher();
    await publish('evt-1');
    await publish('evt-2');
    await h.receiver.received(1);
    const stopped = h.core.worker.stop(10_000);
    answers[0]?.();
    await stopped;
    expect(await logs(id)).toMatchObject([{ event_id: 'evt-1', status: 'succeeded', attempt: 1 }]);
    expect(await show(id)).toMatchObject({ pending_count: 1, next_attempt_at: '2026-11-23T10:00:00.000Z' });
    expect(await h.core.readStatus(h.owner, {})).toMatchObject({ delivering: false, workers: 0, due_count: 1 });
  });

  it('an attempt that outlives the grace becomes interrupted and uses up no step', async () => {
    h.receiver.respond(() => {});
    const id = await subscribe();
    await h.posthorn.startDispatcher();
    await publish('evt-1');
    await h.receiver.received(1);
    const stopped = h.core.worker.stop(1_000);
    await until(() => !h.core.worker.pulse().running);
    h.clock.advance(1_000);
    await stopped;
    expect(await logs(id)).toMatchObject([{ error: 'interrupted', attempt: 1, status: 'failed' }]);
    expect(await show(id)).toMatchObject({ failure_count: 0, pending_count: 1 });
  });
});
