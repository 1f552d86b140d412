import type { LeasedDelivery, LeasedEvent } from '../ports.ts';
import type { PreparedTarget } from './send.ts';

/** A leased delivery with its event, waiting for a slot. */
export interface Ready {
  delivery: LeasedDelivery;
  event: LeasedEvent;
}

/** One endpoint's part of the work in this process. */
export interface Lane {
  endpointId: number;
  /** Leased, not sent yet. */
  ready: Ready[];
  /** Attempts whose answer is awaited. */
  inFlight: number;
  target: PreparedTarget | null;
}

/**
 * What this process holds: leased deliveries by endpoint, and how many attempts are in flight. Slots go round the lanes,
 * so that the depth of one lane's queue is nobody else's wait.
 */
export class Lanes {
  readonly #byEndpoint = new Map<number, Lane>();
  readonly #slots: number;
  readonly #laneSlots: number;
  /** Leased ahead, so that a slot that falls free need not wait for the store. */
  readonly #aheadMax: number;
  inFlight = 0;
  readyCount = 0;

  constructor(options: { slots: number; laneSlots: number }) {
    this.#slots = options.slots;
    this.#laneSlots = options.laneSlots;
    this.#aheadMax = options.slots;
  }

  /** How many more deliveries to lease. */
  get wanted(): number {
    return Math.max(0, this.#slots + this.#aheadMax - this.inFlight - this.readyCount);
  }

  /** Whether leasing is worth a round trip: half of what is kept ahead is used up. */
  get hungry(): boolean {
    return this.readyCount <= this.#aheadMax / 2;
  }

  /** How many more of this endpoint's deliveries may be leased: its slots, and as many ahead. */
  room(endpointId: number): number {
    const lane = this.#byEndpoint.get(endpointId);
    return lane === undefined ? this.#laneSlots * 2 : this.#laneSlots * 2 - lane.inFlight - lane.ready.length;
  }

  add(ready: Ready): void {
    const { endpointId } = ready.delivery;
    let lane = this.#byEndpoint.get(endpointId);
    if (lane === undefined) {
      lane = { endpointId, ready: [], inFlight: 0, target: null };
      this.#byEndpoint.set(endpointId, lane);
    }
    lane.ready.push(ready);
    this.readyCount++;
  }

  /** The next delivery to send, taking turns between lanes; null when nothing is ready or every slot is taken. */
  next(): { lane: Lane; ready: Ready } | null {
    if (this.inFlight >= this.#slots || this.readyCount === 0) return null;
    for (const [endpointId, lane] of this.#byEndpoint) {
      if (lane.inFlight >= this.#laneSlots) continue;
      const ready = lane.ready.shift();
      if (ready === undefined) continue;
      // To the end of the map's order: that is whose turn comes last.
      this.#byEndpoint.delete(endpointId);
      this.#byEndpoint.set(endpointId, lane);
      lane.inFlight++;
      this.inFlight++;
      this.readyCount--;
      return { lane, ready };
    }
    return null;
  }

  /** An attempt of the lane has ended. */
  ended(lane: Lane): void {
    lane.inFlight--;
    this.inFlight--;
    if (lane.inFlight === 0 && lane.ready.length === 0) this.#byEndpoint.delete(lane.endpointId);
  }

  /** Empties the queues: the ids of what was leased and not sent. */
  takeUnsent(): number[] {
    const unsent = [...this.#byEndpoint.values()].flatMap((lane) =>
      lane.ready.splice(0).map(({ delivery }) => delivery.id),
    );
    this.readyCount = 0;
    return unsent;
  }
}
