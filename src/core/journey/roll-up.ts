import type { Ports } from '../ports.ts';

/** How often the figures of the overview are brought up to date; what is newer is counted live. */
const everyMs = 5_000;

/** Counts attempts into the figures of the overview, in small steps behind the deliveries. */
export class RollUp {
  readonly #ports: Pick<Ports, 'store' | 'clock' | 'log'>;
  #lastAt = Number.NEGATIVE_INFINITY;
  #running = false;

  constructor(ports: Pick<Ports, 'store' | 'clock' | 'log'>) {
    this.#ports = ports;
  }

  /** `goOn` is asked between steps. */
  async tick(goOn: () => boolean): Promise<void> {
    const { clock, store, log } = this.#ports;
    const now = clock.now();
    if (this.#running || now - this.#lastAt < everyMs) return;
    this.#running = true;
    this.#lastAt = now;
    try {
      while (goOn() && (await store.overview.rollUp()));
    } catch (error) {
      log.error({ error: String(error) }, 'rolling up the statistics stopped, it goes on in a moment');
    } finally {
      this.#running = false;
    }
  }
}
