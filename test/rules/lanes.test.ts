import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ready } from '../../src/core/journey/attempts.ts';
import { isHungry, isStarving, type Lane } from '../../src/core/journey/lane.ts';
import { Lanes } from '../../src/core/journey/lanes.ts';
import type { DueEndpoint } from '../../src/core/ports/journey-store.ts';
import type { PaceOutcome } from '../../src/core/rules/pace.ts';

const now = 1_000_000;
const ok: PaceOutcome = { error: null, responseCode: 204 };
const overloaded: PaceOutcome = { error: 'timeout', responseCode: null };

const endpoint = (id: number, more: Partial<DueEndpoint> = {}): DueEndpoint => ({
  id,
  workspaceId: 1,
  failing: false,
  ...more,
});

function ready(id: number, endpointId: number, workspaceId = 1): Ready {
  const event = { publicId: `evt_${id}`, type: 'contact.created', data: '{}', occurredAt: 0 };
  const delivery = { id, workspaceId, endpointId, eventId: id, endpointVersion: 1, attempts: 0, steps: 0 };
  return { delivery, event, signed: null };
}

/** Lanes that hold so many deliveries of endpoints 0, 1, 2 … */
function filled(depths: readonly number[], options: { slots: number; laneSlots: number }): Lanes {
  const lanes = new Lanes(options);
  let id = 0;
  for (const [endpointId, depth] of depths.entries()) {
    for (let count = 0; count < depth; count++) lanes.add(ready(id++, endpointId));
  }
  return lanes;
}

function takeAll(lanes: Lanes, at = now): { lane: Lane; ready: Ready }[] {
  const taken = [];
  for (let next = lanes.next(at); next !== null; next = lanes.next(at)) taken.push(next);
  return taken;
}
const endpointsOf = (taken: { ready: Ready }[]) => taken.map((each) => each.ready.delivery.endpointId);

describe('taking turns', () => {
  it('goes round the lanes, whatever the depth of their queues', () => {
    const lanes = filled([100, 2, 1], { slots: 100, laneSlots: 8 });
    expect(endpointsOf(takeAll(lanes))).toEqual([0, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0]);
  });

  it('lets a lone delivery wait for one turn of the others at most', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }), (depths) => {
        const lanes = filled(depths, { slots: 1_000, laneSlots: 50 });
        lanes.next(now);
        lanes.add(ready(9_999, 77));
        expect(endpointsOf(takeAll(lanes)).indexOf(77)).toBeLessThanOrEqual(depths.length);
      }),
    );
  });

  it('keeps the order within a lane', () => {
    const lanes = filled([5, 5], { slots: 100, laneSlots: 10 });
    const taken = takeAll(lanes).map((each) => each.ready.delivery.id);
    expect(taken.filter((id) => id < 5)).toEqual([0, 1, 2, 3, 4]);
    expect(taken.filter((id) => id >= 5)).toEqual([5, 6, 7, 8, 9]);
  });

  it('passes over a lane that is full, and comes back when an attempt of it ended', () => {
    const lanes = filled([5, 5], { slots: 100, laneSlots: 2 });
    const taken = takeAll(lanes);
    expect(endpointsOf(taken)).toEqual([0, 1, 0, 1]);
    const [first] = taken;
    if (first !== undefined) lanes.ended(first.lane, ok, now);
    expect(endpointsOf(takeAll(lanes))).toEqual([0]);
  });
});

describe('endpoints whose receivers never answer', () => {
  /** As many of them as wanted, each leased and sent to for as long as anything goes. */
  function hanging(count: number, workspaceId = 1): Lanes {
    const lanes = new Lanes({ slots: 256, laneSlots: 64 });
    let id = 0;
    for (let round = 0; round < 20; round++) {
      for (let endpointId = 0; endpointId < count; endpointId++) {
        const leased = Math.min(lanes.wanted, lanes.room(endpoint(endpointId, { workspaceId }), now));
        for (let each = 0; each < leased; each++) lanes.add(ready(id++, endpointId, workspaceId));
        takeAll(lanes);
      }
    }
    return lanes;
  }

  it.each([1, 2, 3, 10, 40])('%i of them cost another neither the lease nor the slot', (count) => {
    const lanes = hanging(count);
    expect(lanes.inFlight).toBeGreaterThanOrEqual(64);
    expect(lanes.wanted).toBeGreaterThan(0);
    expect(lanes.room(endpoint(999, { workspaceId: 2 }), now)).toBeGreaterThan(0);
    lanes.add(ready(9_999, 999, 2));
    expect(lanes.next(now)?.ready.delivery.endpointId).toBe(999);
  });

  it.each([1, 2])('a crowd of them that is down leaves slots to one that answers, of workspace %i', (workspaceId) => {
    const lanes = new Lanes({ slots: 256, laneSlots: 64 });
    for (let id = 0; id < 1_000; id++) {
      const count = Math.min(lanes.wanted, lanes.room(endpoint(id, { failing: true }), now));
      for (let each = 0; each < count; each++) lanes.add(ready(id, id));
    }
    expect(takeAll(lanes).length).toBe(192);
    lanes.add(ready(9_999, 9_999, workspaceId));
    expect(endpointsOf(takeAll(lanes))).toEqual([9_999]);
  });

  it('a workspace with many endpoints that hang leaves slots to another', () => {
    const lanes = new Lanes({ slots: 256, laneSlots: 64 });
    for (let id = 0; id < 1_000; id++) lanes.add(ready(id, id, 1));
    expect(takeAll(lanes).length).toBe(224);
    for (let id = 1_000; id < 1_100; id++) lanes.add(ready(id, id, 2));
    expect(takeAll(lanes).length).toBe(32);
  });

  it('leave each other endpoint an eighth of what is free, and two where little is', () => {
    const lanes = filled([64, 64, 64], { slots: 256, laneSlots: 64 });
    expect(takeAll(lanes).length).toBe(192);
    const taken = (endpointId: number) => {
      for (let id = 0; id < 64; id++) lanes.add(ready(id, endpointId, endpointId));
      return takeAll(lanes).length;
    };
    // Of 64, of 56, of 49 …
    expect([10, 11, 12].map(taken)).toEqual([8, 7, 6]);
    for (let endpointId = 13; lanes.inFlight < 240; endpointId++) taken(endpointId);
    expect([50, 51].map(taken)).toEqual([2, 2]);
  });

  it('hold no more of what is leased than a bounded number', () => {
    const lanes = hanging(100);
    expect(lanes.inFlight + lanes.readyCount).toBeLessThanOrEqual(256 * 2 + 64 + 100);
    expect(lanes.inFlight).toBeLessThanOrEqual(256);
  });

  it('are leased one each beyond that, so that none is shut out, but no more than sixteen for each slot', () => {
    const lanes = new Lanes({ slots: 256, laneSlots: 64 });
    for (let id = 0; id < 10_000; id++) {
      const count = lanes.room(endpoint(id), now);
      for (let each = 0; each < count; each++) lanes.add(ready(id, id));
    }
    expect(lanes.readyCount).toBe(256 * 16);
  });

  it('hold 64 MiB of data that is leased ahead, and then only what those need that have nothing', () => {
    const lanes = new Lanes({ slots: 256, laneSlots: 64 });
    const data = 'x'.repeat(2 ** 20);
    const large = (endpointId: number) => {
      const { event, ...rest } = ready(endpointId, endpointId);
      lanes.add({ ...rest, event: { ...event, data } });
    };
    for (let id = 0; id < 63; id++) large(id);
    expect(lanes.room(endpoint(999), now)).toBeGreaterThan(1);
    large(63);
    expect(lanes.room(endpoint(999), now)).toBe(1);
    for (let id = 64; id < 4 * 64; id++) large(id);
    expect(lanes.room(endpoint(1_000), now)).toBe(0);
    lanes.next(now);
    expect(lanes.room(endpoint(1_000), now)).toBe(1);
    lanes.takeUnsent();
    expect(lanes.room(endpoint(1_000), now)).toBeGreaterThan(1);
  });
});

describe('how much to lease', () => {
  it('is for one endpoint at least its own slots, less what it holds already', () => {
    const lanes = filled([3], { slots: 256, laneSlots: 4 });
    expect(lanes.room(endpoint(1), now)).toBeGreaterThanOrEqual(4);
    expect(lanes.room(endpoint(0), now)).toBe(lanes.room(endpoint(1), now) - 3);
  });

  it('is one for an endpoint that is known to fail', () => {
    expect(new Lanes({ slots: 256, laneSlots: 64 }).room(endpoint(1, { failing: true }), now)).toBe(1);
  });

  it('is worth a round trip until the store had no more', () => {
    const lanes = filled([1], { slots: 256, laneSlots: 64 });
    const [taken] = takeAll(lanes);
    if (taken === undefined) throw new Error('nothing to send');
    expect(isHungry(taken.lane)).toBe(true);
    lanes.exhausted(0);
    expect(isHungry(taken.lane)).toBe(false);
    expect(lanes.room(endpoint(0), now)).toBeGreaterThan(0);
    expect(isHungry(taken.lane)).toBe(false);
    lanes.add(ready(1, 0));
    expect(isHungry(taken.lane)).toBe(true);
  });

  it('is worth a transaction of its own only when little is left', () => {
    const lanes = filled([64 + 16], { slots: 256, laneSlots: 64 });
    const [first] = takeAll(lanes);
    if (first === undefined) throw new Error('nothing to send');
    const { lane } = first;
    expect([lane.ready.length, isHungry(lane), isStarving(lane)]).toEqual([16, true, false]);
    for (let count = 0; count < 8; count++) lanes.ended(lane, ok, now);
    takeAll(lanes);
    expect([lane.ready.length, isHungry(lane), isStarving(lane)]).toEqual([8, true, true]);
  });

  it('leaves nothing behind of an endpoint that owes nothing', () => {
    const lanes = filled([1, 1], { slots: 256, laneSlots: 64 });
    expect(lanes.count).toBe(2);
    for (const { lane } of takeAll(lanes)) lanes.ended(lane, ok, now);
    for (const id of [0, 1]) lanes.exhausted(id);
    expect(lanes.count).toBe(0);
  });

  it('remembers of a thousand endpoints that the store had more for them, and of no more', () => {
    const lanes = filled(Array(1_002).fill(1), { slots: 10_000, laneSlots: 64 });
    for (const { lane } of takeAll(lanes)) lanes.ended(lane, ok, now);
    expect(lanes.count).toBe(1_000);
    expect([0, 1, 2, 1_001].map((id) => lanes.isDeep(endpoint(id)))).toEqual([false, false, true, true]);
    lanes.exhausted(1_001);
    expect(lanes.count).toBe(999);
  });
});

describe('pace', () => {
  it('of a thousand endpoints that are down is nothing that others walk past', () => {
    const lanes = new Lanes({ slots: 10_000, laneSlots: 64 });
    for (let id = 0; id < 1_000; id++) {
      lanes.room(endpoint(id, { failing: true }), now);
      lanes.add(ready(id, id));
      lanes.add(ready(1_000 + id, id));
    }
    for (const { lane } of takeAll(lanes)) lanes.ended(lane, overloaded, now);
    expect(takeAll(lanes)).toEqual([]);
    const looked: number[] = [];
    lanes.add(ready(9_999, 9_999));
    for (const lane of lanes.loaded) {
      const { pace } = lane;
      Object.defineProperty(lane, 'pace', { get: () => looked.push(lane.endpointId) > 0 && pace });
    }
    expect(endpointsOf(takeAll(lanes))).toEqual([9_999]);
    expect(new Set(looked)).toEqual(new Set([9_999]));
    expect(lanes.gateAt).toBe(now + 250);
  });

  it('asks an endpoint that is down no more than four times a second, and says when it may go on', () => {
    const lanes = new Lanes({ slots: 256, laneSlots: 64 });
    const begun: number[] = [];
    const pauses: number[] = [];
    lanes.room(endpoint(1, { failing: true }), now);
    for (let id = 0; id < 41; id++) lanes.add(ready(id, 1));
    for (let at = now; at < now + 10_000; at = lanes.gateAt ?? at) {
      const next = lanes.next(at);
      if (next === null) pauses.push((lanes.gateAt ?? at) - at);
      else {
        begun.push(at);
        lanes.ended(next.lane, overloaded, at);
      }
    }
    expect(begun).toHaveLength(40);
    expect(new Set(pauses)).toEqual(new Set([250]));
  });

  it('waits for nothing where an attempt was never made', () => {
    const lanes = filled([20], { slots: 256, laneSlots: 64 });
    for (const { lane } of takeAll(lanes)) lanes.ended(lane, null, now);
    lanes.exhausted(0);
    expect(lanes.count).toBe(0);
    expect(lanes.gateAt).toBeNull();
  });
});

/** What a process may do to its lanes, in any order. `pick` chooses which attempt ends. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), endpointId: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('next' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      pick: fc.nat(),
      outcome: fc.constantFrom(ok, overloaded, null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('takeUnsent' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What lanes should do, said with lists: what waits, in the order it came, and what is under way. */
class Model {
  readonly lanes: Lanes;
  waiting: Ready['delivery'][] = [];
  underWay: { lane: Lane; endpointId: number }[] = [];
  #id = 0;

  constructor(options: { slots: number; laneSlots: number }) {
    this.lanes = new Lanes(options);
  }

  /** What the lanes did, and what they should have done. */
  take(one: Step): [did: unknown, should: unknown] {
    if (one.do === 'add') return this.#add(one.endpointId);
    if (one.do === 'end') return this.#end(one.pick, one.outcome);
    return one.do === 'next' ? this.#next() : this.#takeUnsent();
  }

  #add(endpointId: number): [null, null] {
    const added = ready(this.#id++, endpointId);
    this.lanes.add(added);
    this.waiting.push(added.delivery);
    return [null, null];
  }

  #end(pick: number, outcome: PaceOutcome | null): [null, null] {
    const [ended] = this.underWay.splice(pick % Math.max(1, this.underWay.length), 1);
    if (ended !== undefined) this.lanes.ended(ended.lane, outcome, now);
    return [null, null];
  }

  #next(): [unknown, unknown] {
    const next = this.lanes.next(now);
    if (next === null) return [null, this.#mustGoOn() ? 'something' : null];
    const sent = next.ready.delivery;
    // Which lane's turn it is, the tests above say; within the lane the oldest goes first.
    const oldest = this.waiting.find((each) => each.endpointId === sent.endpointId);
    this.underWay.push({ lane: next.lane, endpointId: sent.endpointId });
    this.waiting = this.waiting.filter((each) => each !== sent);
    return [sent, oldest];
  }

  /** Nobody is waited for, neither an answer nor the clock, and there is something to send. */
  #mustGoOn(): boolean {
    return this.waiting.length > 0 && this.underWay.length === 0 && this.lanes.gateAt === null;
  }

  #takeUnsent(): [unknown, unknown] {
    const should = new Set(this.waiting.map(({ id }) => id));
    this.waiting = [];
    return [new Set(this.lanes.takeUnsent()), should];
  }
}

describe('whatever happens, in any order', () => {
  it('no slot is given twice, no delivery is lost or sent twice, and nothing waits for nobody', () => {
    const some = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), some, some, (steps, more, laneSlots) => {
        const slots = laneSlots + more - 1;
        const model = new Model({ slots, laneSlots });
        for (const one of steps) {
          const [did, should] = model.take(one);
          expect(did).toEqual(should);
          expect(model.lanes.inFlight).toBe(model.underWay.length);
          expect(model.lanes.readyCount).toBe(model.waiting.length);
          const flying = [0, 1, 2].map((id) => model.underWay.filter(({ endpointId }) => endpointId === id).length);
          expect(Math.max(...flying)).toBeLessThanOrEqual(laneSlots);
          expect(model.underWay.length).toBeLessThanOrEqual(slots);
        }
      }),
    );
  });

  it('everything is sent in the end', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const model = new Model({ slots: 4, laneSlots: 2 });
        for (const one of steps) model.take(one);
        let at = now;
        for (let turn = 0; turn < 1_000 && model.lanes.readyCount + model.lanes.inFlight > 0; turn++) {
          const next = model.lanes.next(at);
          if (next !== null) model.underWay.push({ lane: next.lane, endpointId: next.lane.endpointId });
          const ended = next === null ? model.underWay.shift() : undefined;
          if (ended !== undefined) model.lanes.ended(ended.lane, ok, at);
          at = Math.max(at + 1, model.lanes.gateAt ?? at);
        }
        expect([model.lanes.readyCount, model.lanes.inFlight]).toEqual([0, 0]);
      }),
    );
  });
});
