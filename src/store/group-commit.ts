/** As many operations always share one transaction; of more, half. */
const wholeGroupMax = 32;

/** The answer to one operation of a group. */
export type Outcome<R> = { ok: true; value: R } | { ok: false; error: unknown };

interface Waiting<Op, R> {
  op: Op;
  rows: number;
  resolve(value: R): void;
  reject(error: unknown): void;
}

/**
 * Operations that arrive while the last group is being committed share the next transaction: with one fsync each, the
 * disk would bound the throughput. `exclusive` work waits its turn and has the database to itself.
 */
export class GroupCommit<Op, R> {
  readonly #commit: (ops: Op[]) => Promise<Outcome<R>[]>;
  /** Bounds how long one group holds the database. */
  readonly #rowsMax: number;
  #waiting: Waiting<Op, R>[] = [];
  #exclusive: (() => Promise<void>)[] = [];
  #running: Promise<void> | null = null;

  constructor(commit: (ops: Op[]) => Promise<Outcome<R>[]>, rowsMax: number) {
    this.#commit = commit;
    this.#rowsMax = rowsMax;
  }

  /** `rows`: about how many rows the operation writes. */
  add(op: Op, rows: number): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#waiting.push({ op, rows, resolve, reject });
      this.#start();
    });
  }

  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#exclusive.push(() => work().then(resolve, reject));
      this.#start();
    });
  }

  /** Resolves when nothing is under way or waits. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  #start(): void {
    // After this turn of the event loop: what arrived in it, answers of receivers for example, is in the first group.
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#drain())
      .finally(() => {
        this.#running = null;
        if (this.#waiting.length > 0 || this.#exclusive.length > 0) this.#start();
      });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 || this.#exclusive.length > 0) {
      await this.#exclusive.shift()?.();
      const group = this.#takeGroup();
      if (group.length > 0) await this.#settle(group);
      // Whoever was answered may ask again at once, and then is in the next group.
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
  }

  #takeGroup(): Waiting<Op, R>[] {
    let rows = 0;
    let count = 0;
    // Half of them, once they are many: if every sender waited for the same commit, the network would stand still for it
    // and the disk for the network.
    const countMax = Math.max(wholeGroupMax, Math.ceil(this.#waiting.length / 2));
    for (const waiting of this.#waiting) {
      if (count >= countMax || (count > 0 && rows + waiting.rows > this.#rowsMax)) break;
      rows += waiting.rows;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #settle(group: Waiting<Op, R>[]): Promise<void> {
    try {
      const outcomes = await this.#commit(group.map(({ op }) => op));
      for (const [index, waiting] of group.entries()) {
        const outcome = outcomes[index];
        if (outcome?.ok) waiting.resolve(outcome.value);
        else waiting.reject(outcome?.error ?? new Error('the group commit gave no answer'));
      }
    } catch (error) {
      for (const waiting of group) waiting.reject(error);
    }
  }
}
