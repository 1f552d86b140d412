import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { answering, type Case, makeCases } from './cases.ts';
import { type Rest, startRest, subscriptions } from './rest.ts';

const secondMs = 1_000;
const hourMs = 3_600 * secondMs;
const firstWaitMs = 5 * secondMs;

let rest: Rest;
let open: ReturnType<typeof makeCases>;
beforeAll(async () => {
  rest = await startRest({ environment: { POSTHORN_RETRY_SCHEDULE: '5s,60s' } });
  open = makeCases(rest);
  await rest.h.posthorn.startDispatcher();
});
afterAll(() => rest.close());

const now = () => rest.h.clock.now();
const at = (ms: number) => new Date(ms).toISOString();
/** Publishes and waits for the first attempt: what it says of the next, and until when the endpoint is held. */
async function attempted(one: Case): Promise<{ next: string | null; held: string | null }> {
  await one.publish();
  const [row] = await one.log(1);
  return { next: row?.next_attempt_at ?? null, held: (await one.show()).held_until };
}
const after = (seconds: number | string) => ({ 'retry-after': String(seconds) });

describe('Retry-After', () => {
  it.each([429, 503])('in seconds on %i is waited for, and holds the endpoint back', async (status) => {
    const one = await open(answering(status, after(120)));
    const until120 = at(now() + 120 * secondMs);
    expect(await attempted(one)).toEqual({ next: until120, held: until120 });
    expect((await one.show()).diagnosis).toContain(`held back until ${until120}`);
  });

  it.each([429, 503])('as a date on %i is waited for, and holds the endpoint back', async (status) => {
    // A date has no milliseconds.
    const when = Math.ceil(now() / secondMs) * secondMs + 300 * secondMs;
    const one = await open(answering(status, after(new Date(when).toUTCString())));
    expect(await attempted(one)).toEqual({ next: at(when), held: at(when) });
  });

  it('is never less than the schedule', async () => {
    const one = await open(answering(503, after(1)));
    expect(await attempted(one)).toEqual({ next: at(now() + firstWaitMs), held: at(now() + secondMs) });
  });

  it('makes a delivery wait for 24 hours at most, and an endpoint for one', async () => {
    const one = await open(answering(429, after(10 * 24 * 3_600)));
    expect(await attempted(one)).toEqual({ next: at(now() + 24 * hourMs), held: at(now() + hourMs) });
    const far = await open(answering(503, after(new Date(now() + 1_000 * hourMs).toUTCString())));
    expect((await attempted(far)).held).toBe(at(now() + hourMs));
  });

  it.each([
    [400, '120'],
    [500, '120'],
    [502, '120'],
    [429, 'soon'],
    [503, '-5'],
    [503, '1.5'],
    [429, ''],
    [503, 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ])('on %i: "%s" changes nothing', async (status, value) => {
    const one = await open(answering(status, after(value)));
    expect(await attempted(one)).toEqual({ next: at(now() + firstWaitMs), held: null });
  });
});

describe('an endpoint that is held back', () => {
  async function held(): Promise<Case> {
    const one = await open(answering(429, after(1_800)));
    await one.publish();
    await one.log(1);
    one.respond(answering(204));
    return one;
  }

  it('gets nothing, while others do', async () => {
    const [one, other] = [await held(), await open()];
    await one.publish();
    await other.publish();
    await other.log(1);
    expect(one.sent()).toHaveLength(1);
    expect(await one.show()).toMatchObject({ pending_count: 2, held_until: expect.any(String) });
  });

  it('is freed by a retry', async () => {
    const one = await held();
    const waiting = await one.publish();
    const { body } = await rest.ask('GET', `/v1/events/${one.sent()[0]}`);
    await rest.ask('POST', `/v1/deliveries/${body.deliveries[0].id}/retry`);
    await until(() => one.sent().length === 3);
    expect(new Set(one.sent())).toEqual(new Set([one.sent()[0], waiting]));
    await until(async () => (await one.show()).pending_count === 0);
    expect((await one.show()).held_until).toBeNull();
  });

  it('is freed by a test that succeeds, and not by one that fails', async () => {
    const one = await held();
    const waiting = await one.publish();
    one.respond(answering(500));
    await rest.ask('POST', `${subscriptions}/${one.id}/test`);
    expect((await one.show()).held_until).toEqual(expect.any(String));
    one.respond(answering(204));
    await rest.ask('POST', `${subscriptions}/${one.id}/test`);
    expect((await one.show()).held_until).toBeNull();
    await until(() => one.sent().includes(waiting));
  });

  it('is freed by being made active', async () => {
    const one = await held();
    const waiting = await one.publish();
    await one.patch({ status: 'paused' });
    expect(await one.patch({ status: 'active' })).toMatchObject({ held_until: null, failure_count: 0 });
    await until(() => one.sent().includes(waiting));
    expect((await one.show()).status).toBe('active');
  });

  it('goes on when its time is over', async () => {
    const one = await open(answering(503, after(60)));
    await one.publish();
    await one.log(1);
    one.respond(answering(204));
    await rest.pass(60 * secondMs);
    await one.log(2);
    expect(await one.show()).toMatchObject({ held_until: null, pending_count: 0, failure_count: 0 });
  });
});

describe('a status', () => {
  it.each([200, 201, 202, 204, 206, 299])('%i is a success', async (status) => {
    const one = await open(answering(status));
    await one.publish();
    expect(await one.log(1)).toMatchObject([{ status: 'succeeded', error: null, response_code: status }]);
    expect(await one.show()).toMatchObject({ failure_count: 0, pending_count: 0, last_delivered_at: at(now()) });
  });

  it.each([
    [301, 'http_3xx'],
    [304, 'http_3xx'],
    [308, 'http_3xx'],
    [400, 'http_4xx'],
    [401, 'http_4xx'],
    [404, 'http_4xx'],
    [429, 'http_4xx'],
    [500, 'http_5xx'],
    [599, 'http_5xx'],
  ])('%i is a failed attempt (%s) that is made again by the schedule', async (status, error) => {
    const one = await open(answering(status, { location: `${rest.h.receiver.url}/elsewhere` }));
    expect(await attempted(one)).toEqual({ next: at(now() + firstWaitMs), held: null });
    expect(await one.show()).toMatchObject({
      failure_count: 1,
      last_error: error,
      last_response_code: status,
      failing_since: at(now()),
      pending_count: 1,
    });
    expect(rest.h.receiver.requests.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  });

  it('410 disables at once', async () => {
    const one = await open(answering(410));
    await one.publish();
    await until(async () => (await one.show()).status === 'disabled');
    expect(await one.show()).toMatchObject({ disabled_reason: 'gone', disabled_at: at(now()), failure_count: 1 });
    // Nobody did it: the log of what people change knows nothing of it.
    const { data } = (await rest.ask('GET', `/v1/audit?target_id=${one.id}`)).body;
    expect(data.map(({ action }: { action: string }) => action)).toEqual(['subscription.create']);
    const { body: unheard } = await rest.publish({ type: one.type });
    expect(unheard.deliveries).toBe(0);
    const again = await one.patch({ status: 'active' });
    expect(again).toMatchObject({ status: 'active', disabled_reason: null, disabled_at: null, failure_count: 0 });
  });

  it('413 is not retried', async () => {
    const one = await open(answering(413));
    expect(await attempted(one)).toEqual({ next: null, held: null });
    const { body } = await rest.ask('GET', `/v1/deliveries?endpoint_id=${one.id}`);
    expect(body.data).toMatchObject([{ status: 'failed', next_attempt_at: null, attempts: 1 }]);
  });
});

describe('a delivery whose schedule is used up', () => {
  it('is failed, and can be replayed: the same delivery, a fresh schedule, numbers that go on', async () => {
    const one = await open(answering(500));
    const since = at(now());
    const id = await one.publish();
    for (const [rows, waitMs] of [
      [1, 5_000],
      [2, 60_000],
    ] as const) {
      await one.log(rows);
      await rest.pass(waitMs);
    }
    await one.log(3);
    const deliveries = async () => (await rest.ask('GET', `/v1/deliveries?endpoint_id=${one.id}`)).body.data;
    const [failed] = await deliveries();
    expect(failed).toMatchObject({ status: 'failed', attempts: 3, next_attempt_at: null, last_error: 'http_5xx' });
    const replayed = await rest.ask('POST', `${subscriptions}/${one.id}/replay`, { since, status: 'failed' });
    expect(replayed.body).toEqual({ queued: 1, next_since: null });
    const log = await one.log(4);
    expect(log.map(({ attempt, event_id }) => [attempt, event_id])).toEqual([4, 3, 2, 1].map((nth) => [nth, id]));
    expect(log[0]?.next_attempt_at).toBe(at(now() + firstWaitMs));
    expect(await deliveries()).toMatchObject([{ id: failed.id, status: 'pending', attempts: 4 }]);
  });
});
