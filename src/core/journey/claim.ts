import type { DueEndpoint, LeasedBatch, Share } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';

/** Endpoints looked at in one claim, beside those that have no room: more than the slots of any sensible process. */
const endpointsMax = 1_000;
/** What an endpoint with a backlog is given at least, while it has room and slots are left: with one delivery to a share,
 * leasing cost more than sending. */
const deepShareMin = 32;

export interface ClaimRequest {
  workerId: number;
  /** Deliveries wanted in all. */
  count: number;
  /** At most so many endpoints have no room: they stand first in the queue and must not hide the others. */
  fullCount: number;
  /** How many more the endpoint can take. */
  room(endpoint: DueEndpoint): number;
  /** Whether it had all that it was asked for the last time, and so probably has more than a share. */
  isDeep(endpoint: DueEndpoint): boolean;
  now: number;
}

export interface Claimed extends LeasedBatch {
  /** Endpoints that had less than they were asked for: nothing more is due there. */
  exhausted: number[];
  /** Whether all that was wanted was asked for, so that others may have been left out. */
  bounded: boolean;
}

/**
 * The second stage: leases deliveries that are due. It goes endpoint by endpoint, longest waiting first, so that an
 * endpoint with 100,000 due deliveries costs the others neither slots nor time.
 */
export async function claim(store: Ports['store'], request: ClaimRequest): Promise<Claimed> {
  const due = await store.journey.dueEndpoints(request.now, endpointsMax + request.fullCount);
  const chosen = shares(due, request);
  if (chosen.length === 0) return { deliveries: [], events: new Map(), exhausted: [], bounded: false };
  const batch = await store.journey.lease(request.workerId, chosen, request.now);
  const counts = new Map<number, number>();
  for (const { endpointId } of batch.deliveries) counts.set(endpointId, (counts.get(endpointId) ?? 0) + 1);
  const short = chosen.filter(({ endpointId, count }) => (counts.get(endpointId) ?? 0) < count);
  const bounded = due.length >= endpointsMax || chosen.reduce((sum, { count }) => sum + count, 0) >= request.count;
  return { ...batch, exhausted: short.map(({ endpointId }) => endpointId), bounded };
}

/**
 * Divides the slots among the endpoints, each an equal part of what is left, none more than it has room for. What one
 * cannot take goes to those behind it. Of those with a backlog only as many take part as give sensible shares; the others'
 * turn comes sooner for that.
 */
export function shares(due: DueEndpoint[], request: Pick<ClaimRequest, 'count' | 'room' | 'isDeep'>): Share[] {
  const open: { endpointId: number; room: number }[] = [];
  let needed = 0;
  for (const endpoint of due) {
    if (open.length >= request.count) break;
    const isDeep = request.isDeep(endpoint);
    if (isDeep && needed >= request.count) continue;
    const room = request.room(endpoint);
    if (room <= 0) continue;
    needed += isDeep ? Math.min(room, deepShareMin) : 1;
    open.push({ endpointId: endpoint.id, room });
  }
  // Whoever has least room is served first: the rest of an equal part then goes to those who can use it.
  const order = open.toSorted((a, b) => a.room - b.room);
  let left = request.count;
  const counts = new Map<number, number>();
  for (const [index, { endpointId, room }] of order.entries()) {
    const count = Math.min(room, Math.max(1, Math.floor(left / (order.length - index))), left);
    left -= count;
    counts.set(endpointId, count);
  }
  return open
    .map(({ endpointId }) => ({ endpointId, count: counts.get(endpointId) ?? 0 }))
    .filter(({ count }) => count > 0);
}
