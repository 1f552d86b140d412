import type { Ports } from '../ports/ports.ts';
import type { Vault } from '../rules/seal.ts';
import type { Settings } from '../settings.ts';
import { Attempts, type Ready } from './attempts.ts';
import { claim } from './claim.ts';
import { DueAlarm } from './due-alarm.ts';
import { Heart } from './heart.ts';
import { Housekeeping } from './housekeeping.ts';
import { isHungry, isQuick, isStarving, type Lane } from './lane.ts';
import { Lanes } from './lanes.ts';
import { type Ended, Recorder } from './recorder.ts';
import { Returns } from './returns.ts';
import { SignAhead } from './sign-ahead.ts';

/** The loop over the four stages, one per process. */
export interface Worker {
  start(): Promise<void>;
  /** Something may have become due; with `wide`, an event is there whose deliveries are not made yet. */
  wake(wide?: boolean): void;
  /** This process paused, deleted, moved or otherwise changed an endpoint: nothing more is sent as it was before. */
  endpointChanged(endpointId: number): void;
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
  readonly #returns: Returns;
  readonly #alarm: DueAlarm;
  #running = false;
  /** Set while `#pump` works: a wake then means one more round. */
  #pumping: Promise<void> | null = null;
  #again = false;
  #cancelGate = (): void => {};
  #drained: (() => void) | null = null;

  constructor(ports: Ports, settings: Settings, vault: Vault, name: string) {
    this.#ports = ports;
    this.#alarm = new DueAlarm(ports, () => this.wake());
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
    this.#returns = new Returns(ports, this.#lanes, {
      workerId: () => this.#heart.workerId,
      waiting: () => this.wake(),
    });
    this.#recorder = new Recorder(ports, {
      isCurrent: (workerId) => workerId === this.#heart.workerId,
      recording: (batch) => this.#refill(batch, isHungry),
      recorded: (batch) => this.#recorded(batch),
    });
    this.#heart = new Heart(ports, name, {
      woke: () => this.#goOn(),
      lost: () => {
        this.#lanes.takeUnsent();
        this.#returns.forget();
        this.wake();
      },
      looked: async () => {
        await this.#returns.look();
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

  endpointChanged(endpointId: number): void {
    this.#returns.changed(endpointId);
  }

  pulse(): Pulse {
    const { inFlight, readyCount } = this.#lanes;
    return { running: this.#running, lastBeatAt: this.#heart.lastBeatAt, inFlight, ready: readyCount };
  }

  async stop(graceMs: number): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#heart.rest();
    this.#alarm.cancel();
    this.#cancelGate();
    await this.#pumping;
    const unsent = this.#lanes.takeUnsent();
    await this.#drain(graceMs);
    await this.#heart.end([...unsent, ...this.#returns.left()]);
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
      this.#alarm.again();
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
    await this.#returns.beforeClaim(workerId);
    const claimed = await claim(store, {
      workerId,
      count: this.#lanes.wanted,
      fullCount: this.#lanes.count,
      room: (endpoint) => this.#lanes.room(endpoint, now),
      isDeep: (endpoint) => this.#lanes.isDeep(endpoint),
      now,
    });
    if (workerId !== this.#heart.workerId) {
      // Taken for dead meanwhile: nobody knows of these leases but the store.
      return store.journey.giveBack(
        workerId,
        claimed.deliveries.map(({ id }) => id),
        now,
      );
    }
    for (const delivery of claimed.deliveries) {
      const event = claimed.events.get(delivery.eventId);
      if (event === undefined) continue;
      const ready: Ready = { delivery, event, signed: null };
      if (isQuick(this.#lanes.add(ready))) this.#signAhead.add(ready);
    }
    this.#returns.afterClaim();
    for (const endpointId of claimed.exhausted) this.#lanes.exhausted(endpointId);
    this.#fill();
    // Some may have been left out where the slots were divided.
    if (claimed.bounded && claimed.deliveries.length > 0) this.#again = true;
    else await this.#alarm.set(now, this.#lanes.inFlight + this.#lanes.readyCount > 0);
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
    for (const { lane, settlement } of batch) {
      this.#lanes.ended(lane, settlement?.attempt ?? null, now);
      this.#returns.attempted(lane, settlement);
    }
    this.#fill();
    this.#refill(batch, isStarving);
    this.#alarm.recorded(batch.map(({ settlement }) => settlement));
    if (this.#lanes.inFlight === 0) this.#drained?.();
  }

  #refill(batch: Ended[], wanting: (lane: Lane) => boolean): void {
    if (batch.some(({ lane }) => wanting(lane))) this.wake();
  }
}
