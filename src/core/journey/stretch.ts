import type { Clock } from '../ports/ports.ts';

/** Filters and schemas are looked at for this long at a stretch; then everything else that this process does has its turn. */
const stretchMsMax = 5;
/** Pieces of work between two looks at the clock. */
const piecesPerLook = 16;

/** Work on the main thread that gives way. */
export class Stretch {
  readonly #clock: Clock;
  #since: number;
  #pieces = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Counts a piece of work; true when it is time to `rest`. */
  isOver(): boolean {
    return ++this.#pieces % piecesPerLook === 0 && this.#clock.now() - this.#since > stretchMsMax;
  }

  async rest(): Promise<void> {
    await new Promise(setImmediate);
    this.#since = this.#clock.now();
  }
}
