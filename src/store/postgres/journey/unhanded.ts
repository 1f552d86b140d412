import { type Transaction, UnknownOutcome } from '../transaction.ts';
import { release } from './release.ts';

/**
 * Leases that may have been taken although nobody was told: the connection broke with the commit, and the server could
 * not be asked. A live worker's leases are nobody else's to free, so they would be held for as long as it lives. Its
 * next lease gives them back first.
 */
export class Unhanded {
  readonly #byWorker = new Map<number, number[]>();

  remember(workerId: number, deliveryIds: number[], error: unknown): void {
    if (!(error instanceof UnknownOutcome) || deliveryIds.length === 0) return;
    this.#byWorker.set(workerId, [...(this.#byWorker.get(workerId) ?? []), ...deliveryIds]);
  }

  async giveBack(trx: Transaction, workerId: number): Promise<void> {
    const ids = this.#byWorker.get(workerId);
    if (ids !== undefined) await release(trx, workerId, ids, 0);
  }

  /** Once the transaction that gave them back is committed. */
  forget(workerId: number): void {
    this.#byWorker.delete(workerId);
  }
}
