import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeWorker } from '../../src/core/journey/worker.ts';
import type { JourneyStore } from '../../src/core/ports/journey-store.ts';
import type { Ports, Store } from '../../src/core/ports/ports.ts';
import { makeVault } from '../../src/core/rules/seal.ts';
import type { Settings } from '../../src/core/settings.ts';
import { openStore } from '../../src/store/open.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startHarness } from '../support/harness.ts';
import { testLimits } from '../support/stores.ts';
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

  it('makes a retry that is due within the second in its time, with no word from outside', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-worker-'));
    const opened = await openStore(`file:${join(folder, 'posthorn.db')}`, { healthLimits: testLimits });
    const { nextDueAt, settle } = opened.journey;
    let settled = false;
    const journey: JourneyStore = {
      ...opened.journey,
      async settle(...of) {
        const held = await settle(...of);
        settled = true;
        return held;
      },
      // What is asked while the attempt is being recorded does not know of its retry yet.
      nextDueAt: async () => (settled ? nextDueAt() : null),
    };
    // On PostgreSQL a process hears nothing of its own changes; on SQLite the file would tell it.
    const store: Store = { ...opened, journey, onOutsideChange() {} };
    const h = await startHarness({ environment: { POSTHORN_RETRY_SCHEDULE: '400ms' }, ports: { store } });
    h.receiver.respond((_, response) => response.writeHead(500).end());
    const { id } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] });
    await h.posthorn.startDispatcher();
    // The heart's first look; the next one comes after a second.
    h.clock.advance(0);
    await h.core.publish(h.owner, { type: 'contact.created', data: {} });
    await until(async () => (await h.core.getSubscription(h.owner, { subscription_id: id })).failure_count === 1);
    h.clock.advance(400);
    expect(await h.receiver.received(2)).toHaveLength(2);
    await h.close();
    rmSync(folder, { recursive: true });
  });
});
