import { SeededRandom } from './random.ts';

/** Whose steps they are. What a dead one had still to do never happens; a paused one does it when it is back. */
export interface Owner {
  dead: boolean;
  pausedUntil: number;
}

interface Step {
  at: number;
  order: number;
  owner: Owner | null;
  run(): void;
}

/** Time and chance of one simulated run. Nothing happens but the steps in its queue, one after the other. */
export class World {
  readonly random: SeededRandom;
  /** Milliseconds since the run began, as no process's clock tells them. */
  now = 0;
  readonly #steps: Step[] = [];
  #order = 0;
  readonly trace: string[] = [];
  readonly faults = new Set<string>();

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** Runs something after `ms`; the returned function cancels. */
  after(ms: number, owner: Owner | null, run: () => void): () => void {
    const step = { at: this.now + Math.max(0, ms), order: this.#order++, owner, run };
    this.#insert(step);
    return () => {
      step.run = () => {};
    };
  }

  /** Resolves after `ms`; never when the owner is dead by then. */
  pass(ms: number, owner: Owner | null): Promise<void> {
    return new Promise((resolve) => this.after(ms, owner, resolve));
  }

  /** A few milliseconds, mostly one. */
  latency(): number {
    return this.random.chance(0.1) ? this.random.float() * 20 : this.random.float() * 2;
  }

  note(text: string): void {
    this.trace.push(`${this.now.toFixed(2)} ${text}`);
  }

  /** Something happened that must not. */
  fault(sentence: string): void {
    if (this.faults.has(sentence)) return;
    this.faults.add(sentence);
    this.note(`FAULT ${sentence}`);
  }

  /** Goes on until nothing is left to do, the time is over, or `done` says so. Answers whether it did. */
  async run(untilMs: number, done: () => boolean): Promise<boolean> {
    await quiet();
    for (let count = 0; ; count++) {
      if (count % 16 === 0 && done()) return true;
      const step = this.#steps[0];
      if (step === undefined || step.at > untilMs) break;
      this.#steps.shift();
      const { owner } = step;
      if (owner?.dead) continue;
      this.now = Math.max(this.now, step.at);
      if (owner !== null && owner.pausedUntil > this.now) {
        step.at = owner.pausedUntil;
        this.#insert(step);
        continue;
      }
      step.run();
      await quiet();
    }
    this.now = Math.max(this.now, untilMs);
    return done();
  }

  #insert(step: Step): void {
    let low = 0;
    let high = this.#steps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#steps[middle];
      if (other !== undefined && (other.at < step.at || (other.at === step.at && other.order < step.order)))
        low = middle + 1;
      else high = middle;
    }
    this.#steps.splice(low, 0, step);
  }
}

/**
 * Until what a step set going has come to rest: promises, and what is put off to the next turn of the event loop, several
 * times over where a recorded batch frees slots and the next batch waits for the end of a turn, and its group commit again.
 */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}
