import type { Settlement } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import { isDown } from '../rules/pace.ts';
import type { Lane } from './lane.ts';
import type { Lanes } from './lanes.ts';

export interface ReturnsEvents {
  /** Whose leases they are; null while there is no worker. */
  workerId(): number | null;
  /** Something waits to be given back. */
  waiting(): void;
}

/**
 * Gives back leases that are not to be used, until the store takes them: what is leased ahead was leased as its endpoint was
 * then, and whoever paused it, moved it, rotated its secret or asked to be left alone counts on nothing more being sent.
 */
export class Returns {
  readonly #ports: Pick<Ports, 'store' | 'clock' | 'log'>;
  readonly #lanes: Lanes;
  readonly #events: ReturnsEvents;
  /** Endpoints that were changed since the claim under way began: what it leases may be as they were before. */
  readonly #changed = new Set<number>();
  #waiting: number[] = [];

  constructor(ports: Pick<Ports, 'store' | 'clock' | 'log'>, lanes: Lanes, events: ReturnsEvents) {
    this.#ports = ports;
    this.#lanes = lanes;
    this.#events = events;
  }

  /** This process changed an endpoint. */
  changed(endpointId: number): void {
    if (this.#events.workerId() === null) return;
    this.#changed.add(endpointId);
    this.#giveBack(endpointId, 0);
  }

  /**
   * To be called before each claim, and at no other time: what was given back and is leased anew must not be given back
   * once more because the first answer was lost. Throws when the store does not take it.
   */
  async beforeClaim(workerId: number): Promise<void> {
    const { store, clock } = this.#ports;
    const ids = this.#waiting.splice(0);
    try {
      if (ids.length > 0) await store.journey.giveBack(workerId, ids, clock.now());
    } catch (error) {
      if (workerId === this.#events.workerId()) this.#waiting.unshift(...ids);
      throw error;
    }
    this.#changed.clear();
  }

  afterClaim(): void {
    for (const endpointId of this.#changed) this.#giveBack(endpointId, 0);
  }

  /** What waits behind a hold, or behind a receiver that is down, may wait for hours. */
  attempted({ endpointId, pace }: Lane, settlement: Settlement | null): void {
    const isHeld = settlement !== null && settlement.health.holdUntil !== null;
    if (isHeld || settlement?.attempt.responseCode === 410) this.#giveBack(endpointId, 0);
    else if (isDown(pace)) this.#giveBack(endpointId, pace.window);
  }

  /** Once a second, as other processes change endpoints too. */
  async look(): Promise<void> {
    const loaded = this.#lanes.loaded;
    if (loaded.length === 0) return;
    const { store, clock } = this.#ports;
    const ids = loaded.map(({ endpointId }) => endpointId);
    const versions = await store.journey.sendable(ids, clock.now());
    for (const { endpointId, ready } of loaded) {
      const version = versions.get(endpointId);
      if (ready.some(({ delivery }) => delivery.endpointVersion !== version)) this.#giveBack(endpointId, 0);
    }
  }

  /** They are others' by now. */
  forget(): void {
    this.#waiting = [];
  }

  /** What was not given back by the end. */
  left(): number[] {
    return this.#waiting.splice(0);
  }

  /** All that is leased of the endpoint and not sent, but for the first `keep`. */
  #giveBack(endpointId: number, keep: number): void {
    const lane = this.#lanes.of(endpointId);
    if (lane === undefined || lane.ready.length <= keep) return;
    this.#waiting.push(...this.#lanes.takeBack(lane, keep));
    this.#events.waiting();
  }
}
