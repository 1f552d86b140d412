import type { Settlement } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import { isDown } from '../rules/pace.ts';
import type { Lane } from './lane.ts';
import type { Lanes } from './lanes.ts';

export interface ReturnsEvents {
  /** Whose leases they are; null while there is no worker. */
  workerId(): number | null;
  /** They may be leased again, as their endpoints are now. */
  returned(): void;
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
  #underWay: Promise<void> | null = null;

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

  claiming(): void {
    this.#changed.clear();
  }

  claimed(): void {
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
    this.#start();
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

  /** What the store has not taken by the end. */
  async left(): Promise<number[]> {
    await this.#underWay;
    return this.#waiting.splice(0);
  }

  /** All that is leased of the endpoint and not sent, but for the first `keep`. */
  #giveBack(endpointId: number, keep: number): void {
    const lane = this.#lanes.of(endpointId);
    if (lane === undefined || lane.ready.length <= keep) return;
    this.#waiting.push(...this.#lanes.takeBack(lane, keep));
    this.#start();
  }

  #start(): void {
    const workerId = this.#events.workerId();
    if (workerId !== null && this.#waiting.length > 0) this.#underWay ??= this.#empty(workerId);
  }

  async #empty(workerId: number): Promise<void> {
    const { store, clock, log } = this.#ports;
    while (this.#waiting.length > 0) {
      const ids = this.#waiting.splice(0);
      try {
        await store.journey.giveBack(workerId, ids, clock.now());
      } catch (error) {
        log.error({ error: String(error), leases: ids.length }, 'leases could not be given back, trying again');
        this.#waiting.push(...ids);
        break;
      }
    }
    this.#underWay = null;
    this.#events.returned();
  }
}
