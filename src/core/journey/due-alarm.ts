import type { Settlement } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';

/** When the store is asked again for due work that it could not give just now. */
const lookAgainMs = 1_000;
const lookSoonMs = 20;
/** A timer's delay has 31 bits. */
const timerMsMax = 2 ** 31 - 1;

/** Rings when something becomes due that was not when the store was asked. */
export class DueAlarm {
  readonly #ports: Pick<Ports, 'store' | 'clock'>;
  readonly #ring: () => void;
  #cancel = (): void => {};

  constructor(ports: Pick<Ports, 'store' | 'clock'>, ring: () => void) {
    this.#ports = ports;
    this.#ring = ring;
  }

  /** For what the store holds beside what it gave at `askedAt`. `isBusy`: something is leased, whose end will ask again. */
  async set(askedAt: number, isBusy: boolean): Promise<void> {
    const at = await this.#ports.store.journey.nextDueAt();
    if (at === null) return;
    const now = this.#ports.clock.now();
    // It became due while it was looked for.
    if (at > askedAt && at <= now) this.#ring();
    // What is due and was not given waits for a lane with room; or another process is at it.
    else this.#in(at > now ? at - now : isBusy ? lookAgainMs : lookSoonMs);
  }

  again(): void {
    this.#in(lookAgainMs);
  }

  /** Of a retry that is due later than the heart's next look, that look finds out in time. */
  recorded(settlements: Iterable<Settlement | null>): void {
    const soon = this.#ports.clock.now() + lookAgainMs;
    for (const settlement of settlements) {
      if (settlement?.next.state === 'pending' && settlement.next.dueAt <= soon) return this.#ring();
    }
  }

  cancel(): void {
    this.#cancel();
  }

  #in(ms: number): void {
    this.#cancel();
    this.#cancel = this.#ports.clock.after(Math.min(ms, timerMsMax), this.#ring);
  }
}
