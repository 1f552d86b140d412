import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import type { HarnessOptions } from '../support/harness.ts';
import { startReceiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';
import { type Rest, startRest, subscriptions } from './rest.ts';

/** The contract allows that many; one more ends the delivery. */
const interruptionsMax = 10;
const drainMs = 10_000;
/** Longer than a process may be silent. */
const silentMs = 10_000;

/** Processes on one database with a receiver that never answers, all closed after the test. */
async function processes() {
  const receiver = await startReceiver();
  receiver.respond(() => {});
  const started: Rest[] = [];
  onTestFinished(async () => {
    await receiver.close();
    for (const one of started.toReversed()) await one.close();
  });
  return {
    receiver,
    async start(clock: FakeClock, environment: Record<string, string> = {}): Promise<Rest> {
      const [first] = started;
      const options: HarnessOptions = {
        receiver,
        clock,
        environment: { POSTHORN_ATTEMPT_TIMEOUT: '10m', ...environment },
      };
      const one = await startRest(first === undefined ? options : { ...options, databaseUrl: first.h.databaseUrl });
      started.push(one);
      return one;
    },
  };
}

const deliveryOf = async (rest: Rest, event: string) =>
  (await rest.ask('GET', `/v1/events/${event}`)).body.deliveries[0];

describe('an attempt that a dying process left open', () => {
  it('is interrupted and uses up no step, ten times; the eleventh ends the delivery', async () => {
    const { receiver, start } = await processes();
    const clock = new FakeClock();
    const rest = await start(clock, { POSTHORN_DISPATCH: 'off' });
    const { body: subscription } = await rest.subscribe();
    const { body: event } = await rest.publish();
    const path = `${subscriptions}/${subscription.id}`;
    for (let deaths = 0; deaths <= interruptionsMax; deaths++) {
      expect(await deliveryOf(rest, event.id)).toMatchObject({ status: 'pending', attempts: Math.max(0, deaths - 1) });
      // One whose clock stands still is as good as dead: the next one finds it silent.
      const dying = await start(new FakeClock(clock.now()));
      await dying.h.posthorn.startDispatcher();
      dying.h.clock.advance(0);
      await receiver.received(deaths + 1);
      clock.jump(silentMs);
    }
    const last = await start(new FakeClock(clock.now()));
    await last.h.posthorn.startDispatcher();
    last.h.clock.advance(0);
    await until(async () => (await deliveryOf(rest, event.id)).status !== 'pending');
    expect(await deliveryOf(rest, event.id)).toMatchObject({
      status: 'failed',
      attempts: interruptionsMax + 1,
      last_error: 'interrupted',
      next_attempt_at: null,
    });
    const { data } = (await rest.ask('GET', `${path}/logs`)).body as { data: { error: string; attempt: number }[] };
    expect(data.map(({ error, attempt }) => [error, attempt])).toEqual(
      Array.from({ length: interruptionsMax + 1 }, (_, nth) => ['interrupted', interruptionsMax + 1 - nth]),
    );
    expect((await rest.ask('GET', path)).body).toMatchObject({ failure_count: 0, pending_count: 0, status: 'active' });
    expect(receiver.requests).toHaveLength(interruptionsMax + 1);
  });

  it('was waited for 10 s by a process that is told to stop; its delivery is due again at once', async () => {
    const { receiver, start } = await processes();
    const clock = new FakeClock();
    const stopping = await start(clock);
    await stopping.h.posthorn.startDispatcher();
    const { body: subscription } = await stopping.subscribe();
    const { body: event } = await stopping.publish();
    await receiver.received(1);
    const toldAt = clock.now();
    let stopped = false;
    const stop = stopping.h.posthorn.stop().then(() => {
      stopped = true;
    });
    await until(() => {
      if (!stopped) clock.advance(25);
      return stopped;
    });
    await stop;
    const rest = await start(clock, { POSTHORN_DISPATCH: 'off' });
    const { data } = (await rest.ask('GET', `${subscriptions}/${subscription.id}/logs`)).body;
    expect(data).toMatchObject([{ error: 'interrupted', attempt: 1 }]);
    const waitedMs = Date.parse(data[0].created_at) - toldAt;
    expect(waitedMs).toBeGreaterThanOrEqual(drainMs);
    expect(waitedMs).toBeLessThan(drainMs + 1_000);
    expect(await deliveryOf(rest, event.id)).toMatchObject({
      status: 'pending',
      attempts: 1,
      next_attempt_at: data[0].created_at,
    });
  });
});
