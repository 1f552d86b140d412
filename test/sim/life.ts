import type { Database } from 'better-sqlite3';
import { makeConditions } from '../../src/conditions/conditions.ts';
import { schemas } from '../../src/schemas/schemas.ts';
import { type Core, createCore } from '../../src/core/core.ts';
import type { Clock, Log, Ports, Store } from '../../src/core/ports/ports.ts';
import type { Settings } from '../../src/core/settings.ts';
import { sqliteStore } from '../../src/store/sqlite/store.ts';
import type { Chaos } from './chaos.ts';
import { guarded } from './database.ts';
import { Disk, type DiskWatch } from './disk.ts';
import type { Network } from './network.ts';
import type { Owner, World } from './world.ts';

export const epoch = Date.parse('2026-11-23T10:00:00Z');

export const settings: Settings = {
  version: '0.0.0',
  brand: 'TrustPager',
  retryScheduleMs: [300, 1_000, 2_000],
  attemptTimeoutMs: 1_000,
  disableAfterFailures: 6,
  disableAfterMs: 3_000,
  concurrency: 8,
  endpointConcurrency: 4,
  retentionMs: 30 * 86_400_000,
  newHosts: 'allow',
  publishPerMinute: null,
  adminKey: null,
};

const conditions = makeConditions();

/** Small enough that a few rows make several steps. */
export const fanOutStepMax = 2;
const reapedLeasesMax = 2;

/** What all processes of a run share. */
export interface Machine {
  world: World;
  chaos: Chaos;
  network: Network;
  db: Database;
  watch: DiskWatch;
  /** Of all clocks of the machine, milliseconds. */
  clockOffset: number;
  newId(prefix: string): string;
  /** One of the processes that run; null when none does. */
  anyLife(): Life | null;
}

/** One process from its start to its end: the program's own core and store, on a disk, a network and a clock that lie. */
export class Life implements Owner {
  dead = false;
  pausedUntil = 0;
  readonly name: string;
  readonly core: Core;
  readonly #machine: Machine;
  /** What this process's clock differs from the machine's by. */
  clockSkew = 0;
  #changed: (() => void) | null = null;
  #willNotice = false;

  constructor(machine: Machine, name: string) {
    this.#machine = machine;
    this.name = name;
    const { world, network } = machine;
    const { random } = world;
    const ports: Ports = {
      store: this.#store(),
      sender: network.sender(this),
      targets: { check: async (url) => ({ allowed: true, url, host: new URL(url).host, resolves: true }) },
      metrics: { accepted() {}, attempted() {} },
      conditions,
      schemas,
      clock: this.#clock(),
      random: { float: () => random.float(), bytes: (count) => random.bytes(count) },
      newId: (prefix) => machine.newId(prefix),
      log: this.#log(),
    };
    this.core = createCore(ports, settings, Buffer.alloc(32, 7));
  }

  die(): void {
    this.dead = true;
  }

  /** Another process committed something. */
  somethingChanged(): void {
    if (this.#willNotice) return;
    this.#willNotice = true;
    const { world } = this.#machine;
    world.after(world.random.float() * 25, this, () => {
      this.#willNotice = false;
      this.#changed?.();
    });
  }

  #clock(): Clock {
    const { world } = this.#machine;
    return {
      now: () => epoch + Math.floor(world.now + this.#machine.clockOffset + this.clockSkew),
      monotonic: () => world.now,
      after: (ms, run) => world.after(ms, this, run),
    };
  }

  #log(): Log {
    const { world } = this.#machine;
    const note = (facts: object, message: string) => world.note(`${this.name}: ${message} ${JSON.stringify(facts)}`);
    return { debug() {}, info() {}, warn: note, error: note };
  }

  #store(): Store {
    const { world, chaos, watch, db } = this.#machine;
    const limits = { disableAfterFailures: settings.disableAfterFailures, disableAfterMs: settings.disableAfterMs };
    const disk = new Disk(world, this, chaos, watch, db, limits, () => this.die());
    const store = sqliteStore(
      guarded(db, () => {}),
      disk,
    );
    const { journey } = store;
    // What was read may be old by the time it is used.
    const late = async <T>(reading: Promise<T>): Promise<T> => {
      const read = await reading;
      await world.pass(world.latency(), this);
      return read;
    };
    return {
      ...store,
      journey: {
        ...journey,
        matchable: (workspaceId, activeAt) => late(journey.matchable(workspaceId, activeAt)),
        dueEndpoints: (now, countMax) => late(journey.dueEndpoints(now, countMax)),
        target: (endpointId) => late(journey.target(endpointId)),
        nextDueAt: () => late(journey.nextDueAt()),
        nextToFanOut: (...look) => late(journey.nextToFanOut(...look)),
        // An event is wide with three endpoints, so that its steps are seen.
        accept: (batch) =>
          journey.accept({
            ...batch,
            events: batch.events.map((event) => ({ ...event, fanOutNow: event.endpointIds.length <= fanOutStepMax })),
          }),
        fanOut: (step) => {
          const endpointIds = step.endpointIds.slice(0, fanOutStepMax);
          const more = endpointIds.length < step.endpointIds.length;
          return journey.fanOut({
            ...step,
            endpointIds,
            afterEndpointId: more ? (endpointIds.at(-1) ?? null) : step.afterEndpointId,
          });
        },
        reapWorkers: (silentSince, now) => journey.reapWorkers(silentSince, now, reapedLeasesMax),
      },
      onOutsideChange: (listener) => {
        this.#changed = listener;
      },
    };
  }
}
