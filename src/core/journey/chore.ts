import type { Ports } from '../ports/ports.ts';

/** Work that is done from time to time behind the deliveries, in small steps. */
export interface ChoreWork {
  /** As it stands in the log when it fails. */
  name: string;
  everyMs: number;
  /** Ends early when `goOn`, asked between its steps, says no. */
  run(now: number, goOn: () => boolean): Promise<void>;
}

export class Chore {
  readonly #ports: Pick<Ports, 'clock' | 'log'>;
  readonly #work: ChoreWork;
  #lastAt = Number.NEGATIVE_INFINITY;
  #running = false;

  constructor(ports: Pick<Ports, 'clock' | 'log'>, work: ChoreWork) {
    this.#ports = ports;
    this.#work = work;
  }

  /** Does the work when its time has come and it is not under way. Never throws. */
  async tick(goOn: () => boolean): Promise<void> {
    const { clock, log } = this.#ports;
    const { name, everyMs } = this.#work;
    const at = clock.monotonic();
    if (this.#running || at - this.#lastAt < everyMs) return;
    this.#running = true;
    this.#lastAt = at;
    try {
      await this.#work.run(clock.now(), goOn);
    } catch (error) {
      log.error({ error: String(error) }, `${name} stopped, it goes on in ${everyMs / 1_000} s`);
    } finally {
      this.#running = false;
    }
  }
}
