import type { DueEndpoint, LeasedBatch, Ports, Share } from '../ports.ts';

/** Endpoints looked at in one claim, beside those that have no room: more than the slots of any sensible process. */
const endpointsMax = 1_000;

export interface ClaimRequest {
  workerId: number;
  /** Deliveries wanted in all. */
  count: number;
  /** Endpoints that are known to have no room: they stand first in the queue and must not hide the others. */
  fullCount: number;
  /** How many more the endpoint can take. */
  room(endpoint: DueEndpoint): number;
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
 * cannot take goes to those behind it.
 */
export function shares(due: DueEndpoint[], request: Pick<ClaimRequest, 'count' | 'room'>): Share[] {
  const open = due
    .map((endpoint) => ({ endpointId: endpoint.id, room: request.room(endpoint) }))
    .filter(({ room }) => room > 0)
    .slice(0, request.count);
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
