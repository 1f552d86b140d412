import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { createSecureContext, getCACertificates } from 'node:tls';
import { buildConnector } from 'undici';
import type { Clock } from '../core/ports/ports.ts';
import type { Policy } from './address.ts';
import { SendFailure } from './failure.ts';
import type { Lookup } from './lookup.ts';

export interface ConnectorOptions {
  policy: Policy;
  lookup: Lookup;
  clock: Clock;
  /** For the name's resolution, TCP and TLS together. */
  connectMs: number;
  /** PEM certificates trusted besides the system's; for tests and private authorities. */
  ca?: string[] | undefined;
}

/** TCP's own keep-alive, so that a peer which vanished is noticed. */
const probeAfterMs = 60_000;

/**
 * Opens the sender's connections, and refuses those that the policy does not allow. Three guards, since each alone was
 * passed: Node never asks `lookup` for an IP literal, a name can resolve anew between check and connect, and what the
 * system connects to can differ from what it was told (0.0.0.0 is 127.0.0.1).
 */
export function makeConnector(options: ConnectorOptions): buildConnector.connector {
  const { policy, clock } = options;
  const ca = options.ca === undefined ? {} : { ca: [...getCACertificates('default'), ...options.ca] };
  // `rejectUnauthorized` is said aloud: else NODE_TLS_REJECT_UNAUTHORIZED=0 would turn the check off.
  const secureContext = createSecureContext(ca);
  const startTls = buildConnector({ allowH2: false, timeout: 0, secureContext, rejectUnauthorized: true });

  return (wanted, callback) => {
    const { hostname } = wanted;
    const secure = wanted.protocol === 'https:';
    const port = Number(wanted.port) || (secure ? 443 : 80);
    const allowed = (address: string) => policy.addressAllowed(hostname, address, port);
    if (isIP(hostname) !== 0 && !allowed(hostname)) {
      queueMicrotask(() => callback(new SendFailure('target_not_allowed'), null));
      return;
    }

    let finished = false;
    const finish = (error: Error | null, ready: Socket | null = null) => {
      if (finished) return;
      finished = true;
      cancelTimer();
      if (error === null && ready !== null) return callback(null, ready);
      tcp.destroy();
      callback(error ?? new SendFailure('connection_reset'), null);
    };
    const lookup = vettedLookup(options.lookup, allowed);
    const tcp = connectTcp({
      host: hostname,
      port,
      lookup,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: probeAfterMs,
    });
    const cancelTimer = clock.after(options.connectMs, () => finish(new SendFailure('timeout')));
    tcp.on('error', finish);
    tcp.once('connect', () => {
      // Without an address the peer is gone already.
      if (tcp.remoteAddress === undefined) return finish(new SendFailure('connection_reset'));
      // Before TLS: a refused address gets no byte.
      if (!allowed(tcp.remoteAddress)) return finish(new SendFailure('target_not_allowed'));
      if (!secure) return finish(null, tcp);
      startTls({ ...wanted, httpSocket: tcp }, (error, tls) => finish(error === null ? null : tlsFailure(error), tls));
    });
  };
}

/** Node's `lookup` with allowed answers only; refused whole when one of them is not. */
function vettedLookup(lookup: Lookup, allowed: (address: string) => boolean): LookupFunction {
  return (hostname, { all }, answer) => {
    lookup(hostname).then(
      (addresses) => {
        const [first] = addresses;
        const vetted = addresses.every(({ address }) => allowed(address));
        if (first === undefined) answer(new SendFailure('dns_failed'), '');
        else if (!vetted) answer(new SendFailure('target_not_allowed'), '');
        else if (all === true) answer(null, addresses);
        else answer(null, first.address, first.family);
      },
      (error: unknown) => answer(new SendFailure('dns_failed', error), ''),
    );
  };
}

/** Whatever TLS objects to is a TLS failure; a connection that breaks meanwhile is just that. */
function tlsFailure(error: Error): Error {
  const broken =
    'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE' || error.code === 'ETIMEDOUT');
  return broken ? error : new SendFailure('tls_failed', error);
}
