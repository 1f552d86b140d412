import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claim, type ClaimRequest, shares } from '../../src/core/journey/claim.ts';
import type { DueEndpoint, LeasedBatch, Share } from '../../src/core/ports/journey-store.ts';
import type { Store } from '../../src/core/ports/ports.ts';

/** The shares of endpoints 0, 1, 2 … with so much room each, in that order of waiting; some of them have a backlog. */
function divide(rooms: readonly number[], count: number, deep: readonly number[] = []) {
  const due: DueEndpoint[] = rooms.map((_, id) => ({ id, workspaceId: 1, failing: false }));
  return shares(due, { count, room: ({ id }) => rooms[id] ?? 0, isDeep: ({ id }) => deep.includes(id) });
}

const rooms = fc.array(fc.oneof(fc.integer({ min: -2, max: 3 }), fc.integer({ min: 0, max: 140 })), {
  maxLength: 40,
  size: 'max',
});
const count = fc.integer({ min: 0, max: 600 });
const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);

describe('dividing slots among endpoints', () => {
  it.each([
    [[10], 5, [5]],
    [[10], 20, [10]],
    [[10, 10], 10, [5, 5]],
    [[1, 10], 10, [1, 9]],
    [[10, 1], 10, [9, 1]],
    [[128, 128, 2], 256, [127, 127, 2]],
    [[1, 1, 1, 1], 2, [1, 1]],
    [[0, 5, -1, 5], 4, [0, 2, 0, 2]],
    [[5, 5, 5], 0, []],
    [[0, 5], 1, [0, 1]],
    [[], 10, []],
  ])('%j have room, %i are wanted: %j', (given, wanted, expected) => {
    const found = divide(given, wanted);
    const byId = expected.flatMap((each, endpointId) => (each > 0 ? [{ endpointId, count: each }] : []));
    expect(found).toEqual(byId);
  });

  it('gives nobody more than fits, and all together no more than is wanted', () => {
    fc.assert(
      fc.property(rooms, count, (given, wanted) => {
        const found = divide(given, wanted);
        for (const share of found) {
          expect(share.count).toBeGreaterThan(0);
          expect(share.count).toBeLessThanOrEqual(given[share.endpointId] ?? 0);
        }
        expect(sum(found.map((share) => share.count))).toBeLessThanOrEqual(wanted);
        expect(new Set(found.map(({ endpointId }) => endpointId)).size).toBe(found.length);
      }),
    );
  });

  it('leaves no slot unused while anybody has room', () => {
    fc.assert(
      fc.property(rooms, count, (given, wanted) => {
        const space = sum(given.map((room) => Math.max(0, room)));
        expect(sum(divide(given, wanted).map((share) => share.count))).toBe(Math.min(wanted, space));
      }),
    );
  });

  it('gives whoever could take more no more than one less than anybody else', () => {
    fc.assert(
      fc.property(rooms, count, (given, wanted) => {
        const found = divide(given, wanted);
        const most = Math.max(0, ...found.map((share) => share.count));
        const couldTakeMore = found.filter((share) => share.count < (given[share.endpointId] ?? 0));
        expect(Math.min(most, ...couldTakeMore.map((share) => share.count))).toBeGreaterThanOrEqual(most - 1);
        expect(most).toBeLessThanOrEqual(wanted);
      }),
    );
  });

  it('serves who waits longest where there are more endpoints than slots, each with one', () => {
    fc.assert(
      fc.property(rooms, count, (given, wanted) => {
        const open = given.flatMap((room, id) => (room > 0 ? [id] : []));
        const found = divide(given, wanted);
        expect(found.map(({ endpointId }) => endpointId)).toEqual(open.slice(0, wanted));
      }),
    );
  });

  it('gives backlogs shares worth a lease, those that wait longest first, and all others a place beside them', () => {
    const open = Array.from({ length: 100 }, () => 96);
    const backlogs = open.map((_, id) => id).filter((id) => id !== 50 && id !== 99);
    const found = divide(open, 64, backlogs);
    expect(found.map(({ endpointId }) => endpointId)).toEqual([0, 1, 50, 99]);
    expect(sum(found.map((share) => share.count))).toBe(64);
  });

  it('leaves no slot unused where backlogs have less room than a share', () => {
    fc.assert(
      fc.property(rooms, count, fc.array(fc.nat({ max: 40 })), (given, wanted, deep) => {
        const space = sum(given.map((room) => Math.max(0, room)));
        expect(sum(divide(given, wanted, deep).map((share) => share.count))).toBe(Math.min(wanted, space));
      }),
    );
  });

  it('gives a lone delivery its slot beside an endpoint that could fill them all', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 600 }), fc.integer({ min: 1, max: 10_000 }), (wanted, deep) => {
        expect(divide([deep, 1], wanted)).toContainEqual({ endpointId: 1, count: 1 });
      }),
    );
  });
});

describe('claiming', () => {
  const endpoint = (id: number): DueEndpoint => ({ id, workspaceId: 1, failing: false });
  const delivery = (id: number, endpointId: number) => ({
    id,
    workspaceId: 1,
    endpointId,
    eventId: 1,
    endpointVersion: 1,
    attempts: 0,
    steps: 0,
  });
  const leased: LeasedBatch = {
    deliveries: [delivery(1, 5), delivery(2, 6)],
    events: new Map([[1, { publicId: 'evt_1', type: 'a.b', data: '{}', occurredAt: 0 }]]),
  };

  /** A store with these endpoints due, and what it was asked for. */
  function storeWith(due: DueEndpoint[]) {
    const asked: unknown[] = [];
    const journey = {
      async dueEndpoints(now: number, countMax: number) {
        asked.push({ now, countMax });
        return due;
      },
      async lease(workerId: number, chosen: Share[], now: number) {
        asked.push({ workerId, chosen, now });
        return leased;
      },
    };
    return { store: { journey } as unknown as Store, asked };
  }

  const request: ClaimRequest = {
    workerId: 3,
    count: 4,
    fullCount: 20,
    room: ({ id }) => id - 4,
    isDeep: () => false,
    now: 1_000,
  };

  it('leases the shares of the endpoints that are due, and looks past those that are full', async () => {
    const { store, asked } = storeWith([endpoint(5), endpoint(6)]);
    expect(await claim(store, request)).toMatchObject(leased);
    expect(asked).toEqual([
      { now: 1_000, countMax: 1_020 },
      {
        workerId: 3,
        chosen: [
          { endpointId: 5, count: 1 },
          { endpointId: 6, count: 2 },
        ],
        now: 1_000,
      },
    ]);
  });

  it('tells which endpoints had less than they were asked for', async () => {
    const { store } = storeWith([endpoint(5), endpoint(6)]);
    expect((await claim(store, request)).exhausted).toEqual([6]);
  });

  it('leases nothing where nothing is due or nobody has room', async () => {
    for (const due of [[], [endpoint(5)]]) {
      const { store, asked } = storeWith(due);
      const batch = await claim(store, { ...request, room: () => 0 });
      expect(batch).toEqual({ deliveries: [], events: new Map(), exhausted: [], bounded: false });
      expect(asked).toHaveLength(1);
    }
  });
});
