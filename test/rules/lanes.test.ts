import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Lane, Lanes, type Ready } from '../../src/core/journey/lanes.ts';

function ready(id: number, endpointId: number): Ready {
  const event = { publicId: `evt_${id}`, type: 'contact.created', data: '{}', occurredAt: 0 };
  const delivery = { id, workspaceId: 1, endpointId, eventId: id, endpointVersion: 1, attempts: 0, steps: 0 };
  return { delivery, event };
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

function takeAll(lanes: Lanes): { lane: Lane; ready: Ready }[] {
  const taken = [];
  for (let next = lanes.next(); next !== null; next = lanes.next()) taken.push(next);
  return taken;
}
const endpointsOf = (taken: { ready: Ready }[]) => taken.map((each) => each.ready.delivery.endpointId);

describe('taking turns', () => {
  it('goes round the lanes, whatever the depth of their queues', () => {
    const lanes = filled([100, 2, 1], { slots: 8, laneSlots: 8 });
    expect(endpointsOf(takeAll(lanes))).toEqual([0, 1, 2, 0, 1, 0, 0, 0]);
  });

  it('lets a lone delivery wait for one turn of the others at most', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }), (depths) => {
        const lanes = filled(depths, { slots: 1_000, laneSlots: 1_000 });
        lanes.next();
        lanes.add(ready(9_999, 77));
        expect(endpointsOf(takeAll(lanes)).indexOf(77)).toBeLessThanOrEqual(depths.length);
      }),
    );
  });

  it('keeps the order within a lane', () => {
    const lanes = filled([5, 5], { slots: 10, laneSlots: 10 });
    const taken = takeAll(lanes).map((each) => each.ready.delivery.id);
    expect(taken.filter((id) => id < 5)).toEqual([0, 1, 2, 3, 4]);
    expect(taken.filter((id) => id >= 5)).toEqual([5, 6, 7, 8, 9]);
  });

  it('passes over a lane that is full, and comes back when an attempt of it ended', () => {
    const lanes = filled([5, 5], { slots: 10, laneSlots: 2 });
    const taken = takeAll(lanes);
    expect(endpointsOf(taken)).toEqual([0, 1, 0, 1]);
    const [first] = taken;
    if (first !== undefined) lanes.ended(first.lane);
    expect(endpointsOf(takeAll(lanes))).toEqual([0]);
  });
});

describe('how much to lease', () => {
  it('is what fits the slots and as much ahead', () => {
    const lanes = filled([3], { slots: 10, laneSlots: 4 });
    expect(lanes).toMatchObject({ wanted: 17, readyCount: 3, inFlight: 0, hungry: true });
    takeAll(lanes);
    expect(lanes).toMatchObject({ wanted: 17, readyCount: 0, inFlight: 3, hungry: true });
  });

  it('is nothing while more than half of what is kept ahead is still there', () => {
    expect(filled([5], { slots: 10, laneSlots: 10 }).hungry).toBe(true);
    expect(filled([6], { slots: 10, laneSlots: 10 }).hungry).toBe(false);
  });

  it('is for one endpoint its own slots and as much ahead', () => {
    const lanes = filled([3], { slots: 10, laneSlots: 4 });
    expect(lanes.room(0)).toBe(5);
    expect(lanes.room(1)).toBe(8);
    takeAll(lanes);
    expect(lanes.room(0)).toBe(5);
  });

  it('is never less than nothing', () => {
    expect(filled([40], { slots: 10, laneSlots: 10 }).wanted).toBe(0);
  });
});

/** What a process may do to its lanes, in any order. `pick` chooses which attempt ends. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), endpointId: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('next' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('takeUnsent' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What lanes should do, said with lists: what waits, in the order it came, and what is under way. */
class Model {
  readonly #options: { slots: number; laneSlots: number };
  readonly lanes: Lanes;
  waiting: Ready['delivery'][] = [];
  underWay: { lane: Lane; endpointId: number }[] = [];
  #id = 0;

  constructor(options: { slots: number; laneSlots: number }) {
    this.#options = options;
    this.lanes = new Lanes(options);
  }

  flying(endpointId: number): number {
    return this.underWay.filter((each) => each.endpointId === endpointId).length;
  }

  /** What the lanes did, and what they should have done. */
  take(one: Step): [did: unknown, should: unknown] {
    if (one.do === 'add') return this.#add(one.endpointId);
    if (one.do === 'end') return this.#end(one.pick);
    return one.do === 'next' ? this.#next() : this.#takeUnsent();
  }

  #add(endpointId: number): [null, null] {
    const added = ready(this.#id++, endpointId);
    this.lanes.add(added);
    this.waiting.push(added.delivery);
    return [null, null];
  }

  #end(pick: number): [null, null] {
    const [ended] = this.underWay.splice(pick % Math.max(1, this.underWay.length), 1);
    if (ended !== undefined) this.lanes.ended(ended.lane);
    return [null, null];
  }

  #next(): [unknown, unknown] {
    const { slots, laneSlots } = this.#options;
    const sendable =
      this.underWay.length >= slots ? [] : this.waiting.filter((each) => this.flying(each.endpointId) < laneSlots);
    const next = this.lanes.next();
    const sent = next?.ready.delivery ?? null;
    // Which lane's turn it is, the tests above say; within the lane the oldest goes first.
    const should = sendable.find((each) => each.endpointId === (sent ?? each).endpointId) ?? null;
    if (next !== null) this.underWay.push({ lane: next.lane, endpointId: next.ready.delivery.endpointId });
    this.waiting = this.waiting.filter((each) => each !== sent);
    return [sent, should];
  }

  #takeUnsent(): [unknown, unknown] {
    const should = new Set(this.waiting.map(({ id }) => id));
    this.waiting = [];
    return [new Set(this.lanes.takeUnsent()), should];
  }
}

describe('whatever happens, in any order', () => {
  it('no slot is given twice, no delivery is lost or sent twice, and idle slots mean that nothing could be sent', () => {
    const some = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), some, some, (steps, slots, laneSlots) => {
        const model = new Model({ slots, laneSlots });
        for (const one of steps) {
          const [did, should] = model.take(one);
          expect(did).toEqual(should);
          expect(model.lanes.inFlight).toBe(model.underWay.length);
          expect(model.lanes.readyCount).toBe(model.waiting.length);
          const rooms = [0, 1, 2].map((endpointId) => model.lanes.room(endpointId));
          const held = rooms.map(
            (_, endpointId) => model.waiting.filter((each) => each.endpointId === endpointId).length,
          );
          expect(rooms).toEqual(held.map((count, endpointId) => laneSlots * 2 - model.flying(endpointId) - count));
        }
        expect(model.underWay.length).toBeLessThanOrEqual(slots);
      }),
    );
  });
});
