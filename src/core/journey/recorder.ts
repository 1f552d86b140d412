import { PosthornError } from '../errors.ts';
import type { Settlement } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import type { Lane } from './lane.ts';

/** How long a record waits before it is tried again when the database did not take it. */
const againMs = 1_000;
/** When a delivery is tried again that failed through a fault of ours. */
const faultMs = 60_000;
/** So many go to the store at once, without waiting for what else ends in the same turn of the event loop; of more, half. */
const wholeBatch = 32;
/** While one batch is committed, the next one is on its way: neither the disk nor the network waits for the other. */
const underWayMax = 2;
/** From so many on, what waits goes to the store before the slots of the last batch are filled again. */
const nextFirstMin = 16;

/** An attempt that has ended. */
export interface Ended {
  lane: Lane;
  workerId: number;
  deliveryId: number;
  /** Null when nothing was sent. */
  settlement: Settlement | null;
}

export interface RecorderEvents {
  /** Whether leases of this worker are still this process's. */
  isCurrent(workerId: number): boolean;
  /** These go to the store now: what is asked of it in the same turn shares their transaction. */
  recording(batch: Ended[]): void;
  /** Nothing is known of these any more than what the database holds. */
  recorded(batch: Ended[]): void;
}

/**
 * Records attempts in batches, which share a transaction and its fsync. It repeats what the database does not take, since
 * the answer that an attempt got must not be lost.
 */
export class Recorder {
  readonly #ports: Pick<Ports, 'store' | 'clock' | 'log'>;
  readonly #events: RecorderEvents;
  #waiting: Ended[] = [];
  #underWay = 0;
  #gathering = false;
  #recorded: Ended[][] = [];
  #telling = false;

  constructor(ports: Pick<Ports, 'store' | 'clock' | 'log'>, events: RecorderEvents) {
    this.#ports = ports;
    this.#events = events;
  }

  add(ended: Ended): void {
    this.#waiting.push(ended);
    if (this.#waiting.length >= wholeBatch) this.#recordNext();
    else if (this.#underWay === 0) void this.#gather();
  }

  /** Waits while each turn of the event loop brings more. */
  async #gather(): Promise<void> {
    if (this.#gathering) return;
    this.#gathering = true;
    for (let seen = 0; this.#waiting.length > seen; ) {
      seen = this.#waiting.length;
      await turn();
    }
    this.#gathering = false;
    this.#recordNext();
  }

  #recordNext(): void {
    if (this.#underWay >= underWayMax || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, Math.max(wholeBatch, Math.ceil(this.#waiting.length / 2)));
    this.#underWay++;
    void this.#recordBatch(batch).then(() => {
      this.#underWay--;
      this.#recorded.push(batch);
      if (!this.#telling) void this.#tell();
    });
  }

  /**
   * One batch in each turn of the event loop: requests begun in the same turn are written, and answered, together, and then
   * the network would stand still while all of them are recorded.
   */
  async #tell(): Promise<void> {
    this.#telling = true;
    for (let batch = this.#recorded.shift(); batch !== undefined; batch = this.#recorded.shift()) {
      if (this.#waiting.length >= nextFirstMin) this.#recordNext();
      this.#events.recorded(batch);
      if (this.#waiting.length > 0 && this.#underWay === 0) void this.#gather();
      await turn();
    }
    this.#telling = false;
  }

  async #recordBatch(batch: Ended[]): Promise<void> {
    this.#events.recording(batch);
    for (const [workerId, own] of Map.groupBy(batch, (ended) => ended.workerId)) await this.#record(workerId, own);
  }

  /** Never throws. One that the database refuses for good costs only itself: its delivery is given back, as if not sent. */
  async #record(workerId: number, batch: Ended[]): Promise<void> {
    const { clock, log } = this.#ports;
    for (;;) {
      try {
        return await this.#write(workerId, batch);
      } catch (error) {
        log.error({ error: String(error), attempts: batch.length }, 'attempts could not be recorded');
        const passing = error instanceof PosthornError && error.code === 'store_unavailable';
        if (!passing) return this.#recordApart(workerId, batch);
        if (!this.#events.isCurrent(workerId)) return;
        await new Promise<void>((resolve) => clock.after(againMs, resolve));
      }
    }
  }

  async #recordApart(workerId: number, batch: Ended[]): Promise<void> {
    const [first] = batch;
    if (batch.length > 1) for (const one of batch) await this.#record(workerId, [one]);
    // Or nobody could free it: its lease is that of a worker that lives.
    else if (first?.settlement) await this.#record(workerId, [{ ...first, settlement: null }]);
  }

  async #write(workerId: number, batch: Ended[]): Promise<void> {
    const { store, clock, log } = this.#ports;
    const unsent = batch.filter(({ settlement }) => settlement === null).map(({ deliveryId }) => deliveryId);
    if (unsent.length > 0) await store.journey.giveBack(workerId, unsent, clock.now() + faultMs);
    const settlements = batch.flatMap(({ settlement }) => settlement ?? []);
    if (settlements.length === 0) return;
    const held = await store.journey.settle(workerId, settlements);
    const lost = settlements.filter((_, index) => held[index] === false).map(({ deliveryId }) => deliveryId);
    if (lost.length > 0) log.warn({ deliveries: lost }, 'leases were lost, nothing recorded');
  }
}

/** Until this turn of the event loop has ended. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
