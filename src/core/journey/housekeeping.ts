import type { Ports } from '../ports/ports.ts';
import type { PrunePosition } from '../ports/prune-position.ts';
import { Chore } from './chore.ts';
import { FanOut } from './fan-out.ts';

/** For what is done at each look, which comes once a second. */
const eachLookMs = 500;
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
  readonly #events: HousekeepingEvents;
  readonly #chores: Chore[];
  readonly #fanOut: FanOut;

  constructor(ports: HousekeepingPorts, retentionMs: number, events: HousekeepingEvents) {
    const { overview, journey } = ports.store;
    this.#events = events;
    this.#fanOut = new FanOut(ports, () => {
      events.made();
      return events.isRunning();
    });
    this.#chores = [
      new Chore(ports, { name: 'fanning out wide events', everyMs: eachLookMs, run: () => this.fanOut() }),
      new Chore(ports, {
        name: 'canceling what deleted endpoints are owed',
        everyMs: eachLookMs,
        async run(_now, goOn) {
          let after: number | null = 0;
          while (after !== null && goOn()) after = await journey.cancelForgotten(after);
        },
      }),
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

  /** Once a second. Chores are not awaited: a long one must not keep this worker from looking for silent ones. */
  async look(): Promise<void> {
    for (const chore of this.#chores) void chore.tick(this.#events.isRunning);
  }

  /** Makes the deliveries of wide events, unless it is being done. */
  fanOut(): Promise<void> {
    return this.#fanOut.run();
  }
}
