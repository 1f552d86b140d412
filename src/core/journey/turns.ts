import { type Lane, takeStart } from './lane.ts';

/** Gates are opened together, that a thousand lanes which wait for their pace are not walked for each of them. */
const gateStepMs = 10;

/**
 * Whose turn is next: lanes with something to send that may send it. Those that merely remember a pace, that are full, or
 * that wait for their pace are not walked past.
 */
export class Turns {
  readonly #waiting = new Set<Lane>();
  readonly #gated = new Map<Lane, number>();
  /** When a lane may go on whose pace holds it, epoch milliseconds; null when no lane waits for that. */
  gateAt: number | null = null;

  /** It has something to send, or room again: its turn comes last, unless it waits already. */
  add(lane: Lane): void {
    if (lane.ready.length === 0) return;
    this.#gated.delete(lane);
    this.#waiting.add(lane);
  }

  clear(): void {
    this.#waiting.clear();
    this.#gated.clear();
    this.gateAt = null;
  }

  /** The lane whose turn is next, of those for which there is a slot; null when nothing may begin now. */
  next(now: number, hasSlotFor: (lane: Lane) => boolean): Lane | null {
    for (const lane of this.#waiting) {
      // Whatever leaves here comes back through `add`: with more to send, or when an attempt has ended.
      if (lane.ready.length === 0 || lane.inFlight >= lane.pace.window) this.#waiting.delete(lane);
      else if (hasSlotFor(lane)) {
        this.#waiting.delete(lane);
        const at = takeStart(lane, now);
        if (at === null) return lane;
        this.#gate(lane, at);
      }
    }
    return null;
  }

  /** Lets in whose time has come. To be called before `next`. */
  openGates(now: number): void {
    if (this.gateAt === null || now < this.gateAt) return;
    this.gateAt = null;
    for (const [lane, at] of this.#gated) {
      if (at <= now) this.add(lane);
      else this.gateAt = Math.min(this.gateAt ?? at, at);
    }
  }

  #gate(lane: Lane, at: number): void {
    const together = Math.ceil(at / gateStepMs) * gateStepMs;
    this.#gated.set(lane, together);
    this.gateAt = Math.min(this.gateAt ?? together, together);
  }
}
