import type { LeasedDelivery, LeasedEvent, Settlement } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import type { Vault } from '../rules/seal.ts';
import type { Settings } from '../settings.ts';
import { KnownTargets } from './known-targets.ts';
import { isAsSigned, type PreparedTarget, send, sign, type SignedRequest } from './send.ts';
import { settlementOf } from './settle.ts';

/** A leased delivery with its event, waiting for a slot. */
export interface Ready {
  delivery: LeasedDelivery;
  event: LeasedEvent;
  /** Once it has been signed. */
  signed: SignedRequest | null;
}

/** Attempts at leased deliveries, each from its endpoint to what is to be recorded of it. */
export class Attempts {
  readonly #ports: Ports;
  readonly #settings: Settings;
  readonly #targets: KnownTargets;

  constructor(ports: Ports, settings: Settings, vault: Vault) {
    this.#ports = ports;
    this.#settings = settings;
    this.#targets = new KnownTargets(ports.store, vault);
  }

  /** Before its slot is free, where the endpoint has been sent to before. Never throws. */
  signAhead(ready: Ready): void {
    const target = this.#targets.known(ready.delivery);
    try {
      if (target !== null) this.#signed(ready, target);
    } catch {
      // The attempt meets it again, and tells.
    }
  }

  /** Sends once; null when nothing was sent. Never throws. */
  async make(ready: Ready): Promise<Settlement | null> {
    const { delivery, event } = ready;
    try {
      const target = this.#targets.known(delivery) ?? (await this.#targets.read(delivery));
      if (target === null) return null;
      const facts = await send(this.#ports, this.#settings, this.#signed(ready, target));
      this.#ports.metrics.attempted(facts.error, facts.durationMs);
      return settlementOf(delivery, target.version, event.type, facts, {
        scheduleMs: this.#settings.retryScheduleMs,
        now: this.#ports.clock.now(),
        random: this.#ports.random.float(),
      });
    } catch (error) {
      // A fault of ours must not look like the receiver's: no attempt is recorded, and the delivery comes again.
      this.#ports.log.error({ error: String(error), endpoint: delivery.endpointId }, 'an attempt could not be made');
      return null;
    }
  }

  #signed(ready: Ready, target: PreparedTarget): SignedRequest {
    const now = this.#ports.clock.now();
    if (ready.signed === null || !isAsSigned(ready.signed, target, now))
      ready.signed = sign(this.#settings, target, ready.event, now, false);
    return ready.signed;
  }
}
