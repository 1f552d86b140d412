import type { LeasedDelivery } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import type { Vault } from '../rules/seal.ts';
import { type PreparedTarget, prepareTarget } from './send.ts';

/** Endpoints whose keys stay open in memory. */
const targetsMax = 10_000;

/** Endpoints that were sent to before, ready to be sent to again until they change. */
export class KnownTargets {
  readonly #store: Ports['store'];
  readonly #vault: Vault;
  readonly #byEndpoint = new Map<number, PreparedTarget>();

  constructor(store: Ports['store'], vault: Vault) {
    this.#store = store;
    this.#vault = vault;
  }

  /** Null when it is not known as it was when the delivery was leased. */
  known({ endpointId, endpointVersion }: LeasedDelivery): PreparedTarget | null {
    const target = this.#byEndpoint.get(endpointId);
    return target !== undefined && target.version >= endpointVersion ? target : null;
  }

  /** Null when there is nothing to send to any more. */
  async read({ endpointId }: LeasedDelivery): Promise<PreparedTarget | null> {
    const record = await this.#store.journey.target(endpointId);
    if (record === null) return null;
    const target = prepareTarget(record, this.#vault);
    if (this.#byEndpoint.size >= targetsMax) this.#byEndpoint.clear();
    this.#byEndpoint.set(endpointId, target);
    return target;
  }
}
