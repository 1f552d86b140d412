import { PosthornError } from '../errors.ts';
import type { Ports, Settlement } from '../ports.ts';
import type { Lane } from './lanes.ts';

/** How long a record waits before it is tried again when the database did not take it. */
const againMs = 1_000;
/** When a delivery is tried again that failed through a fault of ours. */
const faultMs = 60_000;
/** As many are always recorded together; of more, half. */
const wholeBatchMax = 32;
/** From so many on, a batch that waits goes to the store before the slots of the last one are filled again. */
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
 * Records attempts, a batch at a time: those that end while a batch is being recorded are the next. It repeats what the
 * database does not take, since the answer that an attempt got must not be lost.
 */
export class Recorder {
  readonly #ports: Pick<Ports, 'store' | 'clock' | 'log'>;
  readonly #events: RecorderEvents;
  #waiting: Ended[] = [];
  #recording = false;

  constructor(ports: Pick<Ports, 'store' | 'clock' | 'log'>, events: RecorderEvents) {
    this.#ports = ports;
    this.#events = events;
  }

  add(ended: Ended): void {
    this.#waiting.push(ended);
    if (!this.#recording) void this.#recordAll();
  }

  async #recordAll(): Promise<void> {
    this.#recording = true;
    let recorded: Ended[] = [];
    while (this.#waiting.length > 0) {
      const batch = await this.#gather();
      const writing = this.#recordBatch(batch);
      // Filling slots takes longer than writing: the disk works meanwhile.
      if (recorded.length > 0) {
        await turn();
        this.#events.recorded(recorded);
      }
      await writing;
      recorded = batch;
      if (this.#waiting.length >= nextFirstMin) continue;
      this.#events.recorded(recorded);
      recorded = [];
    }
    this.#recording = false;
  }

  /** Waits while each turn of the event loop brings more, up to a batch. */
  async #gather(): Promise<Ended[]> {
    for (let seen = 0; this.#waiting.length > seen && this.#waiting.length < wholeBatchMax; ) {
      seen = this.#waiting.length;
      await turn();
    }
    // Half of many: if every slot waited for the same commit, the network would stand still for it.
    return this.#waiting.splice(0, Math.max(wholeBatchMax, Math.ceil(this.#waiting.length / 2)));
  }

  async #recordBatch(batch: Ended[]): Promise<void> {
    this.#events.recording(batch);
    for (const [workerId, own] of Map.groupBy(batch, (ended) => ended.workerId)) await this.#record(workerId, own);
  }

  /** Never throws. One that the database refuses for good costs only itself. */
  async #record(workerId: number, batch: Ended[]): Promise<void> {
    const { clock, log } = this.#ports;
    for (;;) {
      try {
        return await this.#write(workerId, batch);
      } catch (error) {
        log.error({ error: String(error), attempts: batch.length }, 'attempts could not be recorded');
        const passing = error instanceof PosthornError && error.code === 'store_unavailable';
        if (!passing && batch.length > 1) {
          for (const one of batch) await this.#record(workerId, [one]);
          return;
        }
        if (!passing || !this.#events.isCurrent(workerId)) return;
        await new Promise<void>((resolve) => clock.after(againMs, resolve));
      }
    }
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
