import type { Ports, PrunePosition } from '../ports.ts';

/** How often what became too old is looked for. */
const everyMs = 60_000;

/** Deletes events, finished deliveries and attempts that are older than `retentionMs`, in small steps. */
export class Retention {
  readonly #ports: Pick<Ports, 'store' | 'clock' | 'log'>;
  readonly #retentionMs: number;
  #lastAt = Number.NEGATIVE_INFINITY;
  #running = false;

  constructor(ports: Pick<Ports, 'store' | 'clock' | 'log'>, retentionMs: number) {
    this.#ports = ports;
    this.#retentionMs = retentionMs;
  }

  /** Runs through the tables when a minute has passed since the last time. `goOn` is asked between steps. */
  async tick(goOn: () => boolean): Promise<void> {
    const { clock, store, log } = this.#ports;
    const now = clock.now();
    if (this.#running || now - this.#lastAt < everyMs) return;
    this.#running = true;
    this.#lastAt = now;
    try {
      let position: PrunePosition | null = { table: 'attempts', after: 0 };
      while (position !== null && goOn()) position = await store.journey.prune(position, now - this.#retentionMs);
    } catch (error) {
      log.error({ error: String(error) }, 'pruning stopped, it goes on in a minute');
    } finally {
      this.#running = false;
    }
  }
}
