import type { Ports } from '../ports/ports.ts';
import type { PrunePosition } from '../ports/prune-position.ts';
import { Chore } from './chore.ts';
import { fanOutWide } from './fan-out.ts';

/** How often what became too old is looked for. */
const pruneEveryMs = 60_000;
/** How often the figures of the overview are brought up to date; what is newer is counted live. */
const rollUpEveryMs = 5_000;

export interface HousekeepingEvents {
  /** Whether the worker runs, and with it this. */
  isRunning(): boolean;
  /** Deliveries have become due. */
  made(): void;
}

type HousekeepingPorts = Pick<Ports, 'store' | 'clock' | 'log' | 'conditions' | 'schemas'>;

/** What a worker does besides the journey: wide events, deletions that a crash cut short, retention, statistics. */
export class Housekeeping {
  readonly #ports: HousekeepingPorts;
  readonly #events: HousekeepingEvents;
  readonly #chores: Chore[];
  #fanningOut: Promise<void> | null = null;

  constructor(ports: HousekeepingPorts, retentionMs: number, events: HousekeepingEvents) {
    const { overview, journey } = ports.store;
    this.#ports = ports;
    this.#events = events;
    this.#chores = [
      new Chore(ports, {
        name: 'pruning',
        everyMs: pruneEveryMs,
        async run(now, goOn) {
          let position: PrunePosition | null = { table: 'attempts', after: 0 };
          while (position !== null && goOn()) position = await journey.prune(position, now - retentionMs);
        },
      }),
      new Chore(ports, {
        name: 'rolling up the statistics',
        everyMs: rollUpEveryMs,
        async run(_now, goOn) {
          while (goOn() && (await overview.rollUp()));
        },
      }),
    ];
  }

  /** Once a second. */
  async look(): Promise<void> {
    const { isRunning } = this.#events;
    await this.fanOut();
    while (isRunning() && (await this.#ports.store.journey.cancelForgotten()));
    // Not awaited: a long pruning must not keep this worker from looking for silent ones.
    for (const chore of this.#chores) void chore.tick(isRunning);
  }

  /** One at a time: two would make the same steps. */
  fanOut(): Promise<void> {
    this.#fanningOut ??= fanOutWide(this.#ports, () => {
      this.#events.made();
      return this.#events.isRunning();
    }).finally(() => {
      this.#fanningOut = null;
    });
    return this.#fanningOut;
  }
}
