import { PosthornError } from '../errors.ts';
import type { LeasedDelivery, LeasedEvent, Matchable, Ports, Settlement } from '../ports.ts';
import { wants } from '../rules/match.ts';
import type { Vault } from '../rules/seal.ts';
import type { Settings } from '../settings.ts';
import { fanOutNowMax } from './accept.ts';
import { claim } from './claim.ts';
import { Retention } from './retention.ts';
import { type Lane, Lanes, type Ready } from './lanes.ts';
import { prepareTarget, type PreparedTarget, send } from './send.ts';
import { settlementOf } from './settle.ts';

/** How often a worker says that it lives. */
const beatMs = 2_000;
/** A worker silent for this long has lost its leases. Together with `reapMs` it stays within the promised 10 s. */
const silenceMsMax = 7_000;
/** How often others' silence is looked for, and work that nobody announced. */
const reapMs = 1_000;
const reapLeasesMax = 1_000;
/** How long a settle waits before it tries again when the database did not take it. */
const settleAgainMs = 1_000;
/** When a delivery is tried again that failed through a fault of ours. */
const faultMs = 60_000;
/** Endpoints whose keys stay open in memory. */
const targetsMax = 10_000;

/** The loop over the four stages, one per process. */
export interface Worker {
  start(): Promise<void>;
  /** Something may have become due. */
  wake(): void;
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
  readonly #settings: Settings;
  readonly #vault: Vault;
  readonly #name: string;
  readonly #lanes: Lanes;
  readonly #retention: Retention;
  readonly #targets = new Map<number, PreparedTarget>();
  #workerId: number | null = null;
  #lastBeatAt: number | null = null;
  #running = false;
  /** Set while `#pump` works: a wake then means one more round. */
  #pumping: Promise<void> | null = null;
  #again = false;
  #cancelBeat = (): void => {};
  #cancelReap = (): void => {};
  #cancelDue = (): void => {};
  #drained: (() => void) | null = null;

  constructor(ports: Ports, settings: Settings, vault: Vault, name: string) {
    this.#ports = ports;
    this.#settings = settings;
    this.#vault = vault;
    this.#name = name;
    this.#retention = new Retention(ports, settings.retentionMs);
    this.#lanes = new Lanes({
      slots: settings.concurrency,
      laneSlots: Math.min(settings.endpointConcurrency, settings.concurrency),
    });
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    // One that could not register must not look as if it ran: the next start would be taken for the second.
    await this.#register().catch((error: unknown) => {
      this.#running = false;
      throw error;
    });
    this.#beatLater();
    this.#reapLater(0);
    this.#ports.store.onOutsideChange(() => this.wake());
    this.wake();
  }

  wake(): void {
    if (!this.#running) return;
    this.#again = true;
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = null;
    });
  }

  pulse(): Pulse {
    return {
      running: this.#running,
      lastBeatAt: this.#lastBeatAt,
      inFlight: this.#lanes.inFlight,
      ready: this.#lanes.readyCount,
    };
  }

  async stop(graceMs: number): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#cancelReap();
    this.#cancelDue();
    await this.#pumping;
    const unsent = this.#lanes.takeUnsent();
    await this.#drain(graceMs);
    this.#cancelBeat();
    const workerId = this.#workerId;
    this.#workerId = null;
    if (workerId === null) return;
    await this.#ports.store.journey.retireWorker(workerId, unsent, this.#ports.clock.now()).catch((error: unknown) => {
      // Whoever looks next finds this worker silent and frees its leases.
      this.#ports.log.warn({ error: String(error) }, 'leases could not be given back');
    });
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

  /** Claims until nothing more is due or every slot is taken. One at a time: `wake` asks for one more round. */
  async #pump(): Promise<void> {
    while (this.#again && this.#running) {
      this.#again = false;
      try {
        const more = await this.#claimOnce();
        if (more) this.#again = true;
      } catch (error) {
        this.#ports.log.error({ error: String(error) }, 'claiming failed, trying again');
        this.#wakeIn(settleAgainMs);
        return;
      }
    }
  }

  /** Whether another claim would find more. */
  async #claimOnce(): Promise<boolean> {
    const workerId = this.#workerId;
    if (workerId === null || !this.#lanes.hungry || this.#stale()) return false;
    const { store, clock } = this.#ports;
    const count = this.#lanes.wanted;
    const batch = await claim(store, { workerId, count, room: ({ id }) => this.#lanes.room(id), now: clock.now() });
    if (workerId !== this.#workerId) return false;
    for (const delivery of batch.deliveries) {
      const event = batch.events.get(delivery.eventId);
      if (event !== undefined) this.#lanes.add({ delivery, event });
    }
    this.#fill();
    if (batch.deliveries.length > 0) return this.#lanes.hungry;
    await this.#wakeWhenDue();
    return false;
  }

  async #wakeWhenDue(): Promise<void> {
    const at = await this.#ports.store.journey.nextDueAt();
    // What is due already and was not claimed waits for a slot, whose end wakes.
    if (at !== null) this.#wakeIn(Math.max(at - this.#ports.clock.now(), this.#lanes.inFlight > 0 ? reapMs : 1));
  }

  #wakeIn(ms: number): void {
    this.#cancelDue();
    // A timer's delay has 31 bits.
    this.#cancelDue = this.#ports.clock.after(Math.min(ms, 2 ** 31 - 1), () => this.wake());
  }

  /** Starts attempts until the slots or the queues are empty. */
  #fill(): void {
    // A process that slept past its leases must not send what others send by now.
    if (this.#stale()) return;
    for (let next = this.#lanes.next(); next !== null; next = this.#lanes.next()) {
      void this.#attempt(next.lane, next.ready, this.#workerId);
    }
  }

  async #attempt(lane: Lane, { delivery, event }: Ready, workerId: number | null): Promise<void> {
    const settlement = await this.#settlement(delivery, event);
    if (workerId !== null) await this.#record(workerId, delivery.id, settlement);
    this.#lanes.ended(lane);
    this.#fill();
    if (this.#lanes.hungry) this.wake();
    if (this.#lanes.inFlight === 0) this.#drained?.();
  }

  /** Sends once; null when nothing was sent. */
  async #settlement(delivery: LeasedDelivery, event: LeasedEvent): Promise<Settlement | null> {
    try {
      const target = await this.#target(delivery.endpointId, delivery.endpointVersion);
      if (target === null) return null;
      const facts = await send(this.#ports, this.#settings, target, event, false);
      this.#ports.metrics.attempted(facts.error, facts.durationMs);
      return settlementOf(delivery, target.version, event.type, facts, {
        scheduleMs: this.#settings.retryScheduleMs,
        now: this.#ports.clock.now(),
        random: this.#ports.random.float(),
      });
    } catch (error) {
      // A fault of ours must not look like the receiver's: no attempt is recorded, and the delivery comes again.
      this.#ports.log.error({ error: String(error), endpoint: delivery.endpointId }, 'an attempt could not be made');
      return null;
    }
  }

  /** Records the attempt, again and again while the database does not take it: the answer it got must not be lost. */
  async #record(workerId: number, deliveryId: number, settlement: Settlement | null): Promise<void> {
    const { journey } = this.#ports.store;
    for (;;) {
      try {
        if (settlement === null)
          return await journey.giveBack(workerId, [deliveryId], this.#ports.clock.now() + faultMs);
        const [held] = await journey.settle(workerId, [settlement]);
        if (held === false) this.#ports.log.warn({ delivery: deliveryId }, 'the lease was lost, nothing recorded');
        return;
      } catch (error) {
        const passing = error instanceof PosthornError && error.code === 'store_unavailable';
        this.#ports.log.error({ error: String(error), delivery: deliveryId }, 'an attempt could not be recorded');
        if (!passing || workerId !== this.#workerId) return;
        await new Promise<void>((resolve) => this.#ports.clock.after(settleAgainMs, resolve));
      }
    }
  }

  async #target(endpointId: number, version: number): Promise<PreparedTarget | null> {
    const known = this.#targets.get(endpointId);
    if (known !== undefined && known.version >= version) return known;
    const record = await this.#ports.store.journey.target(endpointId);
    if (record === null) return null;
    const target = prepareTarget(record, this.#vault);
    if (this.#targets.size >= targetsMax) this.#targets.clear();
    this.#targets.set(endpointId, target);
    return target;
  }

  async #register(): Promise<void> {
    const now = this.#ports.clock.now();
    this.#workerId = await this.#ports.store.journey.registerWorker(this.#name, now);
    this.#lastBeatAt = now;
  }

  /** Whether this worker was silent for so long that its leases may be others' by now. */
  #stale(): boolean {
    return this.#lastBeatAt === null || this.#ports.clock.now() - this.#lastBeatAt >= silenceMsMax;
  }

  #beatLater(): void {
    this.#cancelBeat = this.#ports.clock.after(beatMs, () => {
      void this.#beat().finally(() => {
        if (this.#workerId !== null) this.#beatLater();
      });
    });
  }

  async #beat(): Promise<void> {
    const workerId = this.#workerId;
    if (workerId === null) return;
    try {
      const now = this.#ports.clock.now();
      const slept = this.#stale();
      if (await this.#ports.store.journey.beat(workerId, now)) {
        this.#lastBeatAt = now;
        if (slept) this.#resume();
        return;
      }
      this.#ports.log.warn({}, 'this worker was taken for dead, its leases are gone');
      this.#lanes.takeUnsent();
      if (this.#running) await this.#register();
      this.wake();
    } catch (error) {
      this.#ports.log.error({ error: String(error) }, 'the heartbeat could not be recorded');
    }
  }

  /** Nobody took the leases while this process slept: it goes on where it stopped. */
  #resume(): void {
    this.#fill();
    this.wake();
  }

  #reapLater(ms: number): void {
    this.#cancelReap = this.#ports.clock.after(ms, () => {
      void this.#reap().finally(() => {
        if (this.#running) this.#reapLater(reapMs);
      });
    });
  }

  async #reap(): Promise<void> {
    const { store, clock, log } = this.#ports;
    try {
      // After a sleep of the whole machine everybody looks silent, this worker first of all.
      if (this.#stale()) await this.#beat();
      const now = clock.now();
      const freed = await store.journey.reapWorkers(now - silenceMsMax, now, reapLeasesMax);
      if (freed > 0) log.warn({ leases: freed }, 'leases of a worker that fell silent are free again');
      await this.#fanOut();
      // Not awaited: a long pruning must not keep this worker from looking for silent ones.
      void this.#retention.tick(() => this.#running);
      this.wake();
    } catch (error) {
      log.error({ error: String(error) }, 'looking for silent workers failed');
    }
  }

  /** Makes the deliveries of events that were too wide to be fanned out when they were published. */
  async #fanOut(): Promise<void> {
    const { journey } = this.#ports.store;
    let matchable: Matchable | null = null;
    for (let work = await journey.nextToFanOut(); work !== null && this.#running; work = await journey.nextToFanOut()) {
      const { eventId, workspaceId, type, afterEndpointId } = work;
      matchable = await journey.matchable(workspaceId);
      const owed = matchable.endpoints.filter(({ id, events }) => id > afterEndpointId && wants(events, type));
      const step = owed.slice(0, fanOutNowMax).map(({ id }) => id);
      const last = owed.length > step.length ? (step.at(-1) ?? null) : null;
      await journey.fanOut({
        eventId,
        workspaceId,
        matchableVersion: matchable.version,
        endpointIds: step,
        fromEndpointId: afterEndpointId,
        afterEndpointId: last,
        now: this.#ports.clock.now(),
      });
      this.wake();
    }
  }
}
