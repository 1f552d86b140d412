import { describe, expect, it } from 'vitest';
import { PosthornError } from '../../src/core/errors.ts';
import { Lanes } from '../../src/core/journey/lanes.ts';
import { type Ended, Recorder } from '../../src/core/journey/recorder.ts';
import type { JourneyStore, Ports, Settlement } from '../../src/core/ports.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';

const lanes = new Lanes({ slots: 64, laneSlots: 64 });
lanes.add({
  delivery: { id: 0, workspaceId: 1, endpointId: 1, eventId: 1, endpointVersion: 1, attempts: 0, steps: 0 },
  event: { publicId: 'evt', type: 'a.b', data: '{}', occurredAt: 0 },
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

/** A recorder over a store that answers as `settle` does; what it was asked, and what came of it. */
function recorderOver(settle: (ids: number[]) => Promise<boolean[]>) {
  const asked: number[][] = [];
  const given: number[][] = [];
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
    async giveBack(_workerId, ids) {
      given.push(ids);
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
  return { recorder, clock, asked, given, recorded, order, logged };
}

const idsFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

describe('recording', () => {
  it('takes what ended meanwhile as the next batch, and of many half', async () => {
    const gate = Promise.withResolvers<void>();
    const r = recorderOver(async (ids) => {
      if (ids[0] === 0) await gate.promise;
      return ids.map(() => true);
    });
    r.recorder.add(ended(0));
    await until(() => r.asked.length === 1);
    for (const id of idsFrom(1, 100)) r.recorder.add(ended(id));
    gate.resolve();
    await until(() => r.recorded.flat().length === 101);
    expect(r.asked).toEqual([[0], idsFrom(1, 50), idsFrom(51, 32), idsFrom(83, 18)]);
    expect(r.recorded).toEqual(r.asked);
  });

  it('sends a batch on its way before the slots of the last one are filled, unless it is small', async () => {
    const r = recorderOver(async (ids) => ids.map(() => true));
    for (const id of idsFrom(0, 32 + 32 + 15)) r.recorder.add(ended(id));
    await until(() => r.recorded.flat().length === 79);
    expect(r.order).toEqual([
      'recording 40',
      'recording 32',
      'recorded 40',
      'recorded 32',
      'recording 7',
      'recorded 7',
    ]);
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
