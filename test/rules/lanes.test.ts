import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Lane, Lanes, type Ready } from '../../src/core/journey/lanes.ts';
import { downAfterFailures } from '../../src/core/rules/pace.ts';

function ready(id: number, endpointId: number, workspaceId = 1): Ready {
  const event = { publicId: `evt_${id}`, type: 'contact.created', data: '{}', occurredAt: 0 };
  const delivery = { id, workspaceId, endpointId, eventId: id, endpointVersion: 1, attempts: 0, steps: 0 };
  return { delivery, event };
}
const due = (id: number, failing = false, workspaceId = 1) => ({ id, workspaceId, failing });
const ok = { error: null, responseCode: 204 } as const;
const timeout = { error: 'timeout', responseCode: null } as const;

/** Lanes that hold so many deliveries of endpoints 0, 1, 2 … */
function filled(depths: readonly number[], options: { slots: number; laneSlots: number }): Lanes {
  const lanes = new Lanes(options);
  let id = 0;
  for (const [endpointId, depth] of depths.entries()) {
    for (let count = 0; count < depth; count++) lanes.add(ready(id++, endpointId));
  }
  return lanes;
}

function takeAll(lanes: Lanes, now = 0): { lane: Lane; ready: Ready }[] {
  const taken = [];
  for (let next = lanes.next(now); next !== null; next = lanes.next(now)) taken.push(next);
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
        lanes.next(0);
        lanes.add(ready(9_999, 77));
        expect(endpointsOf(takeAll(lanes)).indexOf(77)).toBeLessThanOrEqual(depths.length);
      }),
    );
  });

  it('keeps the order within a lane', () => {
    const taken = takeAll(filled([5, 5], { slots: 10, laneSlots: 10 })).map((each) => each.ready.delivery.id);
    expect(taken.filter((id) => id < 5)).toEqual([0, 1, 2, 3, 4]);
  });

  it('passes over a lane that is full, and comes back when an attempt of it ended', () => {
    const lanes = filled([5, 5], { slots: 10, laneSlots: 2 });
    const taken = takeAll(lanes);
    expect(endpointsOf(taken)).toEqual([0, 1, 0, 1]);
    const [first] = taken;
    if (first !== undefined) lanes.ended(first.lane, ok, 0);
    expect(endpointsOf(takeAll(lanes))).toEqual([0]);
  });
});

describe('the slots', () => {
  it('let one endpoint reach its maximum, alone or not, and are never more than there are', () => {
    expect(takeAll(filled([300], { slots: 256, laneSlots: 64 }))).toHaveLength(64);
    expect(takeAll(filled([300], { slots: 8, laneSlots: 8 }))).toHaveLength(8);
    expect(takeAll(filled([300, 300, 300, 300, 300], { slots: 256, laneSlots: 64 })).length).toBeLessThanOrEqual(256);
  });

  it('keep a quarter for lanes that hold few: five that never answer leave room for the sixth', () => {
    const lanes = filled([300, 300, 300, 300, 300], { slots: 256, laneSlots: 64 });
    expect(takeAll(lanes)).toHaveLength(192);
    lanes.add(ready(9_999, 77));
    expect(endpointsOf(takeAll(lanes))).toEqual([77]);
  });

  it('keep an eighth for other workspaces than the one that has most', () => {
    const lanes = filled(
      Array.from({ length: 500 }, () => 1),
      { slots: 256, laneSlots: 64 },
    );
    expect(takeAll(lanes)).toHaveLength(224);
    lanes.add(ready(9_999, 9_999, 2));
    expect(endpointsOf(takeAll(lanes))).toEqual([9_999]);
  });
});

describe('how much to lease', () => {
  it('is the window and some ahead, less what the lane holds', () => {
    const lanes = filled([3], { slots: 256, laneSlots: 64 });
    expect(lanes.room(due(1))).toBe(64 + 32);
    expect(lanes.room(due(0))).toBe(64 + 32 - 3);
  });

  it('doubles what is ahead each time a busy lane has used it up, to as much as there are slots', () => {
    const lanes = filled([64], { slots: 256, laneSlots: 64 });
    takeAll(lanes);
    const rooms = [1, 2, 3, 4, 5].map(() => lanes.room(due(0)));
    expect(rooms).toEqual([64, 128, 256, 256, 256]);
  });

  it('is one at a time for an endpoint that is known to fail', () => {
    expect(new Lanes({ slots: 256, laneSlots: 64 }).room(due(0, true))).toBe(1);
  });

  it('never shuts out a newcomer, however much the others hold', () => {
    const lanes = filled(
      Array.from({ length: 20 }, () => 100),
      { slots: 256, laneSlots: 64 },
    );
    expect(lanes.wanted).toBeGreaterThan(0);
    expect(lanes.room(due(0))).toBe(0);
    expect(lanes.room(due(77))).toBe(1);
  });
});

describe('an endpoint that is down', () => {
  function down(): { lanes: Lanes; lane: Lane } {
    const lanes = filled([downAfterFailures + 40], { slots: 256, laneSlots: 64 });
    const taken = takeAll(lanes);
    for (const { lane } of taken) lanes.ended(lane, timeout, 1_000);
    return { lanes, lane: taken[0]?.lane as Lane };
  }

  it('gets one attempt every 250 ms, and says when the next may begin', () => {
    const { lanes } = down();
    lanes.add(ready(9_000, 0));
    lanes.add(ready(9_001, 0));
    const [first] = takeAll(lanes, 2_000);
    expect(first).toBeDefined();
    if (first !== undefined) lanes.ended(first.lane, timeout, 2_010);
    expect(takeAll(lanes, 2_010)).toEqual([]);
    expect(lanes.gateAt).toBe(2_250);
    expect(takeAll(lanes, 2_249)).toEqual([]);
    expect(takeAll(lanes, 2_250)).toHaveLength(1);
  });

  it('does not get its backlog at once when it answers again', () => {
    const { lanes } = down();
    for (let id = 0; id < 3_000; id++) lanes.add(ready(10_000 + id, 0));
    let sent = 0;
    for (let now = 2_000; now < 12_000; now += 5) {
      for (const { lane } of takeAll(lanes, now)) {
        sent++;
        lanes.ended(lane, ok, now);
      }
    }
    expect(sent).toBeGreaterThan(600);
    expect(sent).toBeLessThanOrEqual(1_000);
  });

  it('costs the others nothing', () => {
    const { lanes } = down();
    lanes.add(ready(9_000, 0));
    takeAll(lanes, 2_000);
    lanes.add(ready(9_001, 0));
    lanes.add(ready(9_002, 5));
    expect(endpointsOf(takeAll(lanes, 2_001))).toEqual([5]);
  });
});

describe('whatever a process does to its lanes', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), endpointId: fc.nat(3) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('next' as const), endpointId: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), endpointId: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('takeUnsent' as const), endpointId: fc.nat() }) },
  );

  it('no slot is given twice, and no delivery is lost or sent twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 4 }), (steps, laneSlots) => {
        const lanes = new Lanes({ slots: 6, laneSlots });
        const flying: Lane[] = [];
        let [added, taken] = [0, 0];
        const sent = new Set<number>();
        for (const one of steps) {
          if (one.do === 'add') lanes.add(ready(added++, one.endpointId));
          if (one.do === 'takeUnsent') taken += lanes.takeUnsent().length;
          const ended = one.do === 'end' ? flying.splice(one.endpointId % Math.max(1, flying.length), 1) : [];
          for (const lane of ended) lanes.ended(lane, ok, 0);
          const next = one.do === 'next' ? lanes.next(0) : null;
          if (next === null) continue;
          expect(sent.has(next.ready.delivery.id)).toBe(false);
          sent.add(next.ready.delivery.id);
          flying.push(next.lane);
        }
        expect(lanes.inFlight).toBe(flying.length);
        expect(lanes.inFlight).toBeLessThanOrEqual(6);
        for (const lane of flying) expect(lane.inFlight).toBeLessThanOrEqual(laneSlots);
        expect(lanes.readyCount + taken + sent.size).toBe(added);
      }),
    );
  });
});
