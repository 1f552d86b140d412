import type { Ports } from '../ports/ports.ts';

/** How often a worker says that it lives. */
const beatMs = 2_000;
/** A worker silent for this long has lost its leases. Together with `lookMs` it stays within the promised 10 s. */
const silenceMsMax = 7_000;
/** How often others' silence is looked for. */
const lookMs = 1_000;
const reapLeasesMax = 1_000;

export interface HeartEvents {
  /** This worker was silent for a while, and nobody took its leases. */
  woke(): void;
  /** This worker was taken for dead: what it leased is others' now, and it has a new id. */
  lost(): void;
  /** Once a second, after silent workers were looked for. */
  looked(): Promise<void>;
}

/**
 * One worker's row with its heartbeat, and its eye on the others'. A lease belongs to a row; whoever's row falls silent has
 * none any more, and a worker that comes back late finds its own gone.
 */
export class Heart {
  readonly #ports: Pick<Ports, 'store' | 'clock' | 'log'>;
  readonly #name: string;
  readonly #events: HeartEvents;
  #workerId: number | null = null;
  #lastBeatAt: number | null = null;
  #looking = false;
  #beating: Promise<void> | null = null;
  #cancelBeat = (): void => {};
  #cancelLook = (): void => {};

  constructor(ports: Pick<Ports, 'store' | 'clock' | 'log'>, name: string, events: HeartEvents) {
    this.#ports = ports;
    this.#name = name;
    this.#events = events;
  }

  /** Null before the start, after the end, and while the row is being made anew. */
  get workerId(): number | null {
    return this.#workerId;
  }

  get lastBeatAt(): number | null {
    return this.#lastBeatAt;
  }

  /** Whether it was silent for so long that its leases may be others' by now. */
  get isStale(): boolean {
    return this.#lastBeatAt === null || this.#ports.clock.now() - this.#lastBeatAt >= silenceMsMax;
  }

  async start(): Promise<void> {
    await this.#register();
    this.#looking = true;
    this.#beatLater();
    this.#lookLater(0);
  }

  /** Looks after others no more; goes on beating until `end`, for what is still in flight. */
  rest(): void {
    this.#looking = false;
    this.#cancelLook();
  }

  /** Gives back `unsent`, turns what else is leased into interrupted attempts, and forgets the worker. */
  async end(unsent: number[]): Promise<void> {
    const { store, clock, log } = this.#ports;
    this.#cancelBeat();
    // It may be registering anew: the row that it gets would be left behind, beating on a closed store.
    await this.#beating;
    this.#cancelBeat();
    const workerId = this.#workerId;
    this.#workerId = null;
    if (workerId === null) return;
    await store.journey.retireWorker(workerId, unsent, clock.now()).catch((error: unknown) => {
      // Whoever looks next finds this worker silent and frees its leases.
      log.warn({ error: String(error) }, 'leases could not be given back');
    });
  }

  async #register(): Promise<void> {
    const now = this.#ports.clock.now();
    this.#workerId = await this.#ports.store.journey.registerWorker(this.#name, now);
    this.#lastBeatAt = now;
  }

  #beatLater(): void {
    this.#cancelBeat = this.#ports.clock.after(beatMs, () => {
      void this.#beat().finally(() => {
        if (this.#workerId !== null) this.#beatLater();
      });
    });
  }

  /** One at a time: after a pause both timers ring at once, and a second registration would leave the first without a heart. */
  #beat(): Promise<void> {
    this.#beating ??= this.#beatOnce().finally(() => {
      this.#beating = null;
    });
    return this.#beating;
  }

  async #beatOnce(): Promise<void> {
    const { store, clock, log } = this.#ports;
    const workerId = this.#workerId;
    if (workerId === null) return;
    try {
      const now = clock.now();
      const slept = this.isStale;
      if (await store.journey.beat(workerId, now)) {
        this.#lastBeatAt = now;
        if (slept) this.#events.woke();
        return;
      }
      log.warn({}, 'this worker was taken for dead, its leases are gone');
      if (this.#looking) await this.#register();
      this.#events.lost();
    } catch (error) {
      log.error({ error: String(error) }, 'the heartbeat could not be recorded');
    }
  }

  #lookLater(ms: number): void {
    this.#cancelLook = this.#ports.clock.after(ms, () => {
      void this.#look().finally(() => {
        if (this.#looking) this.#lookLater(lookMs);
      });
    });
  }

  async #look(): Promise<void> {
    const { store, clock, log } = this.#ports;
    try {
      // After a sleep of the whole machine everybody looks silent, this worker first of all.
      if (this.isStale) await this.#beat();
      const now = clock.now();
      const freed = await store.journey.reapWorkers(now - silenceMsMax, now, reapLeasesMax);
      if (freed > 0) log.warn({ leases: freed }, 'leases of a worker that fell silent are free again');
      await this.#events.looked();
    } catch (error) {
      log.error({ error: String(error) }, 'looking for silent workers failed');
    }
  }
}
