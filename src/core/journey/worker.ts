import type { Settlement } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import type { Vault } from '../rules/seal.ts';
import type { Settings } from '../settings.ts';
import { Attempts, type Ready } from './attempts.ts';
import { claim } from './claim.ts';
import { Heart } from './heart.ts';
import { Housekeeping } from './housekeeping.ts';
import { type Lane, Lanes } from './lanes.ts';
import { type Ended, Recorder } from './recorder.ts';
import { SignAhead } from './sign-ahead.ts';

/** When the store is asked again for due work that it could not give just now. */
const lookAgainMs = 1_000;
const lookSoonMs = 20;
/** A timer's delay has 31 bits. */
const timerMsMax = 2 ** 31 - 1;

/** The loop over the four stages, one per process. */
export interface Worker {
  start(): Promise<void>;
  /** Something may have become due; with `wide`, an event is there whose deliveries are not made yet. */
  wake(wide?: boolean): void;
  /** Stops claiming, lets attempts in flight end within `graceMs`, gives back every lease. */
  stop(graceMs: number): Promise<void>;
  pulse(): Pulse;
}

export interface Pulse {
  running: boolean;
  /** When the store last took this worker's heartbeat. */
  lastBeatAt: number | null;
  inFlight: number;
  ready: number;
}

export function makeWorker(ports: Ports, settings: Settings, vault: Vault, name = 'worker'): Worker {
  return new Dispatcher(ports, settings, vault, name);
}

class Dispatcher implements Worker {
  readonly #ports: Ports;
  readonly #lanes: Lanes;
  readonly #heart: Heart;
  readonly #recorder: Recorder;
  readonly #housekeeping: Housekeeping;
  readonly #attempts: Attempts;
  readonly #signAhead: SignAhead;
  #running = false;
  /** Set while `#pump` works: a wake then means one more round. */
  #pumping: Promise<void> | null = null;
  #again = false;
  #cancelDue = (): void => {};
  #cancelGate = (): void => {};
  #drained: (() => void) | null = null;

  constructor(ports: Ports, settings: Settings, vault: Vault, name: string) {
    this.#ports = ports;
    this.#attempts = new Attempts(ports, settings, vault);
    this.#signAhead = new SignAhead((ready) => this.#attempts.signAhead(ready));
    this.#housekeeping = new Housekeeping(ports, settings.retentionMs, {
      isRunning: () => this.#running,
      made: () => this.wake(),
    });
    this.#lanes = new Lanes({
      slots: settings.concurrency,
      laneSlots: Math.min(settings.endpointConcurrency, settings.concurrency),
    });
    this.#recorder = new Recorder(ports, {
      isCurrent: (workerId) => workerId === this.#heart.workerId,
      recording: (batch) => this.#refill(batch, (lane) => this.#lanes.isHungry(lane)),
      recorded: (batch) => this.#recorded(batch),
    });
    this.#heart = new Heart(ports, name, {
      woke: () => this.#goOn(),
      lost: () => {
        this.#lanes.takeUnsent();
        this.wake();
      },
      looked: async () => {
        await this.#housekeeping.look();
        // For work that nobody announced.
        this.wake();
      },
    });
  }

  async start(): Promise<void> {
    if (this.#running) return;
    await this.#heart.start();
    this.#running = true;
    this.#ports.store.onOutsideChange(() => this.wake());
    this.wake();
  }

  wake(wide = false): void {
    if (!this.#running) return;
    // What it throws, housekeeping meets again and tells.
    if (wide) this.#housekeeping.fanOut().catch(() => {});
    this.#again = true;
    this.#pumping ??= this.#pump();
  }

  pulse(): Pulse {
    const { inFlight, readyCount } = this.#lanes;
    return { running: this.#running, lastBeatAt: this.#heart.lastBeatAt, inFlight, ready: readyCount };
  }

  async stop(graceMs: number): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#heart.rest();
    this.#cancelDue();
    this.#cancelGate();
    await this.#pumping;
    const unsent = this.#lanes.takeUnsent();
    await this.#drain(graceMs);
    await this.#heart.end(unsent);
  }

  #drain(graceMs: number): Promise<void> {
    if (this.#lanes.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#ports.clock.after(graceMs, resolve);
      this.#drained = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Claims until nothing more is due or nothing more fits. One at a time: `wake` asks for one more round. */
  async #pump(): Promise<void> {
    try {
      while (this.#again && this.#running) {
        this.#again = false;
        await this.#claimOnce();
      }
    } catch (error) {
      this.#ports.log.error({ error: String(error) }, 'claiming failed, trying again');
      this.#wakeIn(lookAgainMs);
    } finally {
      // In the same turn as the last look at `#again`, so that no wake falls between.
      this.#pumping = null;
    }
  }

  async #claimOnce(): Promise<void> {
    const { workerId } = this.#heart;
    if (workerId === null || this.#heart.isStale) return;
    const { store } = this.#ports;
    const now = this.#ports.clock.now();
    const claimed = await claim(store, {
      workerId,
      count: this.#lanes.wanted,
      fullCount: this.#lanes.count,
      room: (endpoint) => this.#lanes.room(endpoint, now),
      isDeep: (endpoint) => this.#lanes.isDeep(endpoint),
      now,
    });
    if (workerId !== this.#heart.workerId) return;
    for (const delivery of claimed.deliveries) {
      const event = claimed.events.get(delivery.eventId);
      if (event === undefined) continue;
      const ready: Ready = { delivery, event, signed: null };
      if (this.#lanes.isQuick(this.#lanes.add(ready))) this.#signAhead.add(ready);
    }
    for (const endpointId of claimed.exhausted) this.#lanes.exhausted(endpointId);
    this.#fill();
    // Some may have been left out where the slots were divided.
    if (claimed.bounded && claimed.deliveries.length > 0) this.#again = true;
    else await this.#wakeWhenDue(now);
  }

  async #wakeWhenDue(askedAt: number): Promise<void> {
    const at = await this.#ports.store.journey.nextDueAt();
    if (at === null) return;
    // What is due and was not claimed waits for a lane with room, whose next end wakes; or another process is at it.
    const soonest = this.#lanes.inFlight + this.#lanes.readyCount > 0 ? lookAgainMs : lookSoonMs;
    const now = this.#ports.clock.now();
    // It became due while it was looked for.
    if (at > askedAt && at <= now) this.#again = true;
    else this.#wakeIn(at > now ? at - now : soonest);
  }

  #wakeIn(ms: number): void {
    this.#cancelDue();
    this.#cancelDue = this.#ports.clock.after(Math.min(ms, timerMsMax), () => this.wake());
  }

  /** Starts attempts until the slots or the queues are empty, or the endpoints' paces hold them. */
  #fill(): void {
    const { clock } = this.#ports;
    const { workerId, isStale } = this.#heart;
    // A process that slept past its leases must not send what others send by now.
    if (workerId === null || isStale) return;
    const now = clock.now();
    for (let next = this.#lanes.next(now); next !== null; next = this.#lanes.next(now)) {
      void this.#attempt(next.lane, next.ready, workerId);
    }
    this.#signAhead.start();
    this.#cancelGate();
    const { gateAt } = this.#lanes;
    if (gateAt !== null && this.#running) this.#cancelGate = clock.after(gateAt - now, () => this.#fill());
  }

  /** Nobody took the leases while this process slept: it goes on where it stopped. */
  #goOn(): void {
    this.#fill();
    this.wake();
  }

  async #attempt(lane: Lane, ready: Ready, workerId: number): Promise<void> {
    const settlement = await this.#attempts.make(ready);
    this.#recorder.add({ lane, workerId, deliveryId: ready.delivery.id, settlement });
  }

  /** Their slots are free only now: what a crash would repeat is never more than the slots. */
  #recorded(batch: Ended[]): void {
    const now = this.#ports.clock.now();
    for (const { lane, settlement } of batch) this.#lanes.ended(lane, settlement?.attempt ?? null, now);
    this.#fill();
    this.#refill(batch, (lane) => this.#lanes.isStarving(lane));
    // Later ones the heart's look finds in time.
    if (batch.some(({ settlement }) => isDueBy(settlement, now + lookAgainMs))) this.wake();
    if (this.#lanes.inFlight === 0) this.#drained?.();
  }

  #refill(batch: Ended[], wanting: (lane: Lane) => boolean): void {
    if (batch.some(({ lane }) => wanting(lane))) this.wake();
  }
}

function isDueBy(settlement: Settlement | null, at: number): boolean {
  return settlement?.next.state === 'pending' && settlement.next.dueAt <= at;
}
