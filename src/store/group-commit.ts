/** As many operations always share one transaction; of more, half. */
const wholeGroupMax = 32;
/** So many rows are worth a transaction of their own: they wait for nothing else to share it. */
const wholeGroupRows = 32;

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
  readonly #rowsMax: number;
  readonly #groupsMax: number;
  #waiting: Waiting<Op, R>[] = [];
  #waitingRows = 0;
  #exclusive: (() => Promise<void>)[] = [];
  #groupsUnderWay = 0;
  #exclusiveUnderWay = false;
  /** Exclusive work and groups take turns. */
  #groupNext = false;
  #startsInTick = false;
  #startsInTurn = false;
  #idle = Promise.withResolvers<void>();

  /**
   * `rowsMax` bounds how long one group holds the database. `groupsMax` groups are given to `commit` at a time: more than
   * one where it takes them in order, so that it finds the next as soon as it is done with one.
   */
  constructor(commit: (ops: Op[]) => Promise<Outcome<R>[]>, rowsMax: number, groupsMax = 1) {
    this.#commit = commit;
    this.#rowsMax = rowsMax;
    this.#groupsMax = groupsMax;
    this.#idle.resolve();
  }

  /** `rows`: about how many rows the operation writes. */
  add(op: Op, rows: number): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#waiting.push({ op, rows, resolve, reject });
      this.#waitingRows += rows;
      this.#startSoon();
    });
  }

  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#exclusive.push(() => work().then(resolve, reject));
      this.#startSoon();
    });
  }

  /** Resolves when nothing is under way or waits. */
  idle(): Promise<void> {
    return this.#idle.promise;
  }

  get #isBusy(): boolean {
    return this.#groupsUnderWay > 0 || this.#exclusiveUnderWay;
  }

  #startSoon(): void {
    if (!this.#isBusy && this.#waiting.length + this.#exclusive.length === 1) this.#idle = Promise.withResolvers();
    if (this.#waitingRows >= wholeGroupRows) return this.#startInTick();
    // After this turn of the event loop: what arrives in it, publishes for example, is in the first group.
    if (this.#startsInTurn || this.#isBusy) return;
    this.#startsInTurn = true;
    setImmediate(() => {
      this.#startsInTurn = false;
      this.#start();
    });
  }

  #startInTick(): void {
    if (this.#startsInTick) return;
    this.#startsInTick = true;
    process.nextTick(() => {
      this.#startsInTick = false;
      this.#start();
    });
  }

  #start(): void {
    while (!this.#exclusiveUnderWay) {
      if (this.#exclusive.length > 0 && !(this.#groupNext && this.#waiting.length > 0)) {
        if (this.#groupsUnderWay === 0) void this.#runExclusive();
        return;
      }
      if (this.#waiting.length === 0 || this.#groupsUnderWay >= this.#groupsMax) return;
      if (this.#groupsUnderWay > 0 && this.#waitingRows < wholeGroupRows) return;
      void this.#runGroup(this.#takeGroup());
    }
  }

  async #runExclusive(): Promise<void> {
    this.#exclusiveUnderWay = true;
    await this.#exclusive.shift()?.();
    this.#exclusiveUnderWay = false;
    this.#groupNext = true;
    this.#ended();
  }

  async #runGroup(group: Waiting<Op, R>[]): Promise<void> {
    this.#groupsUnderWay++;
    await this.#settle(group);
    this.#groupsUnderWay--;
    this.#groupNext = false;
    this.#ended();
  }

  #ended(): void {
    if (this.#waiting.length + this.#exclusive.length > 0) this.#startInTick();
    else if (!this.#isBusy) this.#idle.resolve();
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
    this.#waitingRows -= rows;
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
