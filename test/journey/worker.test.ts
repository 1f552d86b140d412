import { describe, expect, it } from 'vitest';
import { makeWorker } from '../../src/core/journey/worker.ts';
import type { JourneyStore } from '../../src/core/ports/journey-store.ts';
import type { Ports } from '../../src/core/ports/ports.ts';
import { makeVault } from '../../src/core/rules/seal.ts';
import type { Settings } from '../../src/core/settings.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';

describe('the worker', () => {
  it('claims what became due while it was looked for, and does not wait for the clock', async () => {
    const clock = new FakeClock();
    const dueAt = clock.now() + 500;
    const asked: number[] = [];
    const journey: Partial<JourneyStore> = {
      registerWorker: async () => 1,
      retireWorker: async () => {},
      // The look of each second would wake it too, and never comes to its end here.
      reapWorkers: () => new Promise(() => {}),
      async dueEndpoints(now) {
        asked.push(now);
        return [];
      },
      async nextDueAt() {
        // As when a busy machine takes half a second for this.
        if (asked.length === 1) clock.advance(500);
        return asked.length < 3 ? dueAt : null;
      },
    };
    const store = { journey, onOutsideChange() {} } as unknown as Ports['store'];
    const ports = { store, clock, random: { bytes: (count: number) => Buffer.alloc(count) } } as unknown as Ports;
    const settings = { concurrency: 4, endpointConcurrency: 2, retentionMs: 1 } as Settings;
    const worker = makeWorker(ports, settings, makeVault(Buffer.alloc(32), ports.random));
    await worker.start();
    await until(() => asked.length >= 2);
    expect(asked.slice(0, 2)).toEqual([dueAt - 500, dueAt]);
    await worker.stop(0);
  });
});
