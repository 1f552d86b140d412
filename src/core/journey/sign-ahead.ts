import type { Ready } from './attempts.ts';

/** Signing takes some 10 µs: so much more may arrive meanwhile. */
const perTurn = 4;
/** Characters of data: the signed requests are kept beside the events. */
const dataMax = 8 * 1_024;

/**
 * Signs what waits for a slot while the event loop would wait for the network or the disk, a few in each turn, so that a
 * free slot costs no more than sending. It signs nothing that has been signed, and nobody relies on it.
 */
export class SignAhead {
  readonly #sign: (ready: Ready) => void;
  readonly #waiting: Ready[] = [];
  #isWorking = false;

  constructor(sign: (ready: Ready) => void) {
    this.#sign = sign;
  }

  add(ready: Ready): void {
    if (ready.event.data.length <= dataMax) this.#waiting.push(ready);
  }

  /** To be called when what could be sent has been. */
  start(): void {
    if (this.#isWorking || this.#waiting.length === 0) return;
    this.#isWorking = true;
    setImmediate(() => this.#work());
  }

  #work(): void {
    for (let count = 0; count < perTurn; ) {
      const ready = this.#waiting.shift();
      if (ready === undefined) {
        this.#isWorking = false;
        return;
      }
      if (ready.signed !== null) continue;
      this.#sign(ready);
      count++;
    }
    setImmediate(() => this.#work());
  }
}
