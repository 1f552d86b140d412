import { describe, expect, it } from 'vitest';
import { Heart } from '../../src/core/journey/heart.ts';
import type { JourneyStore } from '../../src/core/ports/journey-store.ts';
import type { Ports } from '../../src/core/ports/ports.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';

/** A heart over a store that knows only the worker `known`, and what it did there. */
function heartOver() {
  const clock = new FakeClock();
  const state = { known: 0, registered: 0, retired: [] as number[], beats: 0, looks: 0, events: [] as string[] };
  const gates: Promise<void>[] = [];
  const journey: Partial<JourneyStore> = {
    async registerWorker() {
      const id = ++state.registered;
      await gates.shift();
      state.known = id;
      return id;
    },
    async beat(id) {
      state.beats++;
      return id === state.known;
    },
    async retireWorker(id) {
      state.retired.push(id);
    },
    reapWorkers: async () => 0,
  };
  const silent = () => {};
  const log: Ports['log'] = { debug: silent, info: silent, warn: silent, error: silent };
  const heart = new Heart({ store: { journey } as Ports['store'], clock, log }, 'test', {
    woke: () => void state.events.push('woke'),
    lost: () => void state.events.push('lost'),
    looked: async () => void state.looks++,
  });
  return { heart, clock, state, gates };
}

/** Started, with the first look behind it. */
async function started() {
  const h = heartOver();
  await h.heart.start();
  h.clock.advance(0);
  await until(() => h.state.looks === 1);
  return h;
}

describe('a worker that goes on after a pause', () => {
  it('registers once where its leases were taken, although both its timers ring', async () => {
    const { heart, clock, state } = await started();
    state.known = 0;
    clock.jump(8_000);
    await until(() => state.looks === 2);
    expect(state).toMatchObject({ registered: 2, beats: 1, events: ['lost'] });
    expect(heart.workerId).toBe(2);
    clock.advance(2_000);
    await until(() => state.beats === 2);
    expect(state.registered).toBe(2);
    await heart.end([]);
  });

  it('says once that it woke where nobody took them', async () => {
    const { heart, clock, state } = await started();
    clock.jump(8_000);
    await until(() => state.looks === 2);
    expect(state).toMatchObject({ registered: 1, beats: 1, events: ['woke'] });
    await heart.end([]);
  });

  it('leaves no worker behind when it ends while it registers', async () => {
    const { heart, clock, state, gates } = await started();
    const gate = Promise.withResolvers<void>();
    gates.push(gate.promise);
    state.known = 0;
    clock.jump(8_000);
    await until(() => state.registered === 2);
    heart.rest();
    const ended = heart.end([]);
    gate.resolve();
    await ended;
    expect(state.retired).toEqual([2]);
    expect(heart.workerId).toBeNull();
    const { beats } = state;
    clock.advance(60_000);
    expect(state.beats).toBe(beats);
  });
});
