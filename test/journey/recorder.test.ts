import { describe, expect, it } from 'vitest';
import { PosthornError } from '../../src/core/errors.ts';
import { Lanes } from '../../src/core/journey/lanes.ts';
import { type Ended, Recorder } from '../../src/core/journey/recorder.ts';
import type { JourneyStore, Settlement } from '../../src/core/ports/journey-store.ts';
import type { Ports } from '../../src/core/ports/ports.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';

const lanes = new Lanes({ slots: 64, laneSlots: 64 });
lanes.add({
  delivery: { id: 0, workspaceId: 1, endpointId: 1, eventId: 1, endpointVersion: 1, attempts: 0, steps: 0 },
  event: { publicId: 'evt', type: 'a.b', data: '{}', occurredAt: 0 },
  signed: null,
});
const lane = lanes.next(0)?.lane;

function ended(deliveryId: number, workerId = 1, sent = true): Ended {
  if (lane === undefined) throw new Error('no lane');
  const settlement: Settlement = {
    deliveryId,
    workspaceId: 1,
    endpointId: 1,
    endpointVersion: 1,
    eventType: 'a.b',
    attemptNumber: 1,
    attempt: { startedAt: 0, durationMs: 1, responseCode: 200, error: null, excerpt: null },
    next: { state: 'succeeded' },
    health: { succeeded: true, at: 0, error: null, responseCode: 200, holdUntil: null },
  };
  return { lane, workerId, deliveryId, settlement: sent ? settlement : null };
}

/** A recorder over a store that answers as `settle` does, and fails to take back as `givingFails` says; what it was asked. */
function recorderOver(settle: (ids: number[]) => Promise<boolean[]>, givingFails: Error[] = []) {
  const asked: number[][] = [];
  const given: number[][] = [];
  const givenUntil: number[] = [];
  const recorded: number[][] = [];
  const order: string[] = [];
  const logged: string[] = [];
  const clock = new FakeClock();
  const journey: Pick<JourneyStore, 'settle' | 'giveBack'> = {
    async settle(_workerId, settlements) {
      const ids = settlements.map(({ deliveryId }) => deliveryId);
      asked.push(ids);
      return settle(ids);
    },
    async giveBack(_workerId, ids, dueAt) {
      given.push(ids);
      givenUntil.push(dueAt);
      const failure = givingFails.shift();
      if (failure !== undefined) throw failure;
    },
  };
  const note = (_facts: object, message: string) => void logged.push(message);
  const log: Ports['log'] = { debug: note, info: note, warn: note, error: note };
  const store = { journey } as Ports['store'];
  const recorder = new Recorder(
    { store, clock, log },
    {
      isCurrent: (workerId) => workerId === 1,
      recording: (batch) => void order.push(`recording ${batch.length}`),
      recorded(batch) {
        order.push(`recorded ${batch.length}`);
        recorded.push(batch.map(({ deliveryId }) => deliveryId));
      },
    },
  );
  return { recorder, clock, asked, given, givenUntil, recorded, order, logged };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const idsFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

describe('recording', () => {
  it('gives the store a second batch while one is committed, no third, and then half of what waits', async () => {
    const gate = Promise.withResolvers<void>();
    const r = recorderOver(async (ids) => {
      if (ids[0] === 0) await gate.promise;
      return ids.map(() => true);
    });
    r.recorder.add(ended(0));
    await until(() => r.asked.length === 1);
    for (const id of idsFrom(1, 31)) r.recorder.add(ended(id));
    await turns(3);
    expect(r.asked).toEqual([[0]]);
    for (const id of idsFrom(32, 69)) r.recorder.add(ended(id));
    await turns(3);
    expect(r.asked.slice(0, 3)).toEqual([[0], idsFrom(1, 32), idsFrom(33, 34)]);
    gate.resolve();
    await until(() => r.recorded.flat().length === 101);
    expect(r.asked).toEqual([[0], idsFrom(1, 32), idsFrom(33, 34), idsFrom(67, 32), idsFrom(99, 2)]);
  });

  it('has at most two batches at the store', async () => {
    const gates: PromiseWithResolvers<void>[] = [];
    const r = recorderOver(async (ids) => {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return ids.map(() => true);
    });
    for (const id of idsFrom(0, 128)) r.recorder.add(ended(id));
    await turns(3);
    expect(r.asked).toEqual([idsFrom(0, 32), idsFrom(32, 32)]);
    gates[1]?.resolve();
    await until(() => r.asked.length === 3);
    await turns(3);
    expect(r.asked).toHaveLength(3);
    expect(r.recorded).toEqual([idsFrom(32, 32)]);
  });

  it('lets the slots of one batch be filled in each turn of the event loop', async () => {
    const r = recorderOver(async (ids) => ids.map(() => true));
    const inTurn: number[] = [];
    for (const id of idsFrom(0, 64)) r.recorder.add(ended(id));
    while (r.recorded.length < 2) {
      const before = r.recorded.length;
      await turns(1);
      inTurn.push(r.recorded.length - before);
    }
    expect(Math.max(...inTurn)).toBe(1);
  });

  it('sends a batch on its way before the slots of the last one are filled, unless it is small', async () => {
    for (const [waiting, order] of [
      [16, ['recording 32', 'recording 16', 'recorded 32', 'recorded 16']],
      [15, ['recording 32', 'recorded 32', 'recording 15', 'recorded 15']],
    ] as const) {
      const r = recorderOver(async (ids) => ids.map(() => true));
      for (const id of idsFrom(0, 32 + waiting)) r.recorder.add(ended(id));
      await until(() => r.recorded.flat().length === 32 + waiting);
      expect(r.order).toEqual(order);
    }
  });

  it('repeats what the database does not take until it does', async () => {
    let away = true;
    const r = recorderOver(async (ids) => {
      if (away) throw new PosthornError('store_unavailable', 'The database is away.');
      return ids.map(() => true);
    });
    r.recorder.add(ended(1));
    await until(() => r.logged.length === 1);
    expect(r.recorded).toEqual([]);
    away = false;
    r.clock.advance(1_000);
    await until(() => r.recorded.length === 1);
    expect(r.asked).toEqual([[1], [1]]);
  });

  it('gives up a lease that is not its own any more', async () => {
    const r = recorderOver(() => Promise.reject(new PosthornError('store_unavailable', 'The database is away.')));
    r.recorder.add(ended(1, 2));
    await until(() => r.recorded.length === 1);
    expect(r.asked).toEqual([[1]]);
  });

  it('lets one that is refused for good cost only itself', async () => {
    const r = recorderOver(async (ids) => {
      if (ids.includes(2)) throw new Error('bad');
      return ids.map(() => true);
    });
    for (const id of [0, 1, 2, 3]) r.recorder.add(ended(id));
    await until(() => r.recorded.flat().length === 4);
    expect(r.asked).toEqual([[0, 1, 2, 3], [0], [1], [2], [3]]);
    expect(r.given).toEqual([[2]]);
  });

  it('gives back what is refused for good, a minute from now, and once the database takes that', async () => {
    const refused = new Error('bad');
    const away = new PosthornError('store_unavailable', 'The database is away.');
    const r = recorderOver(() => Promise.reject(refused), [away]);
    r.recorder.add(ended(1));
    await until(() => r.logged.length === 2);
    expect(r.recorded).toEqual([]);
    r.clock.advance(1_000);
    await until(() => r.recorded.length === 1);
    expect(r.given).toEqual([[1], [1]]);
    expect(r.givenUntil).toEqual([r.clock.now() - 1_000 + 60_000, r.clock.now() + 60_000]);
  });

  it('tries no more where giving back is refused as well', async () => {
    const r = recorderOver(() => Promise.reject(new Error('bad')), [new Error('worse')]);
    r.recorder.add(ended(1));
    await until(() => r.recorded.length === 1);
    expect([r.asked, r.given]).toEqual([[[1]], [[1]]]);
  });

  it('gives back what was never sent, and says which leases were lost', async () => {
    const r = recorderOver(async (ids) => ids.map(() => false));
    r.recorder.add(ended(1, 1, false));
    r.recorder.add(ended(2));
    await until(() => r.recorded.flat().length === 2);
    expect([r.given, r.asked]).toEqual([[[1]], [[2]]]);
    expect(r.logged).toEqual(['leases were lost, nothing recorded']);
  });
});
