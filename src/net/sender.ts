import { Agent } from 'undici';
import type { Clock } from '../core/ports/ports.ts';
import type { OutgoingRequest, Sender, SendResult } from '../core/ports/sender.ts';
import type { AllowedUrl, Policy } from './address.ts';
import { Attempt } from './attempt.ts';
import { makeConnector } from './connector.ts';
import { InFlight } from './in-flight.ts';
import { type Lookup, makeLookup } from './lookup.ts';

export interface SenderOptions {
  policy: Policy;
  clock: Clock;
  /** The system's resolver unless given. */
  lookup?: Lookup;
  /** Attempts beyond it wait, and their deadline runs; so not below what one endpoint may have in flight. */
  connectionsPerOrigin?: number;
  /** PEM certificates trusted besides the system's. */
  ca?: string[];
}

const connectMs = 5_000;
const responseBytesMax = 64 * 1_024;
const responseHeaderBytesMax = 64 * 1_024;
/** Most servers keep an idle connection longer. Where both sides let go at once, the attempt is lost and retried. */
const idleConnectionMs = 10_000;
/** When a server announces its own time, at most this. */
const idleConnectionMsMax = 30_000;
/** Then the name is resolved, and the address vetted, anew. */
const requestsPerConnectionMax = 1_000;
/** How late a deadline may be noticed that is nearer than the next sweep. */
const sweepMs = 250;
/** A parsed URL costs about 1 KB. */
const urlsCachedMax = 2_000;

/**
 * The one client that calls strangers. It follows no redirect, decompresses nothing, sends nothing twice, and ends
 * every attempt by its deadline, whatever the receiver does.
 */
export function makeSender(options: SenderOptions): Sender {
  const { policy, clock } = options;
  const lookup = options.lookup ?? makeLookup();
  const agent = new Agent({
    connect: makeConnector({ policy, lookup, clock, connectMs, ca: options.ca }),
    connections: options.connectionsPerOrigin ?? 256,
    pipelining: 1,
    allowH2: false,
    // Each 1xx and each byte would reset them: the sweep keeps the one deadline instead.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: responseBytesMax,
    maxHeaderSize: responseHeaderBytesMax,
    keepAliveTimeout: idleConnectionMs,
    keepAliveMaxTimeout: idleConnectionMsMax,
    maxRequestsPerClient: requestsPerConnectionMax,
  });
  const inFlight = new InFlight<Attempt>();
  const targetOf = makeTargetCache(policy);
  let cancelSweep: (() => void) | null = null;

  function sweepWithin(ms: number): void {
    cancelSweep ??= clock.after(Math.min(Math.max(ms, 1), sweepMs), sweep);
  }

  /** One timer for all attempts: a timer or AbortSignal for each costs an eighth of the throughput. */
  function sweep(): void {
    cancelSweep = null;
    const now = clock.monotonic();
    let nextAt = Number.POSITIVE_INFINITY;
    inFlight.forEach((attempt) => {
      if (attempt.deadlineAt <= now) attempt.end('timeout');
      else nextAt = Math.min(nextAt, attempt.deadlineAt);
    });
    if (inFlight.size > 0) sweepWithin(nextAt - now);
  }

  return {
    send({ url, headers, body, deadlineMs }: OutgoingRequest): Promise<SendResult> {
      return new Promise((resolve) => {
        const attempt = new Attempt(clock.monotonic() + deadlineMs, inFlight, resolve);
        const target = targetOf(url);
        if (target === null) return attempt.end('target_not_allowed');
        sweepWithin(deadlineMs);
        agent.dispatch({ origin: target.origin, path: target.path, method: 'POST', headers, body }, attempt);
      });
    },
    async close(): Promise<void> {
      inFlight.forEach((attempt) => attempt.end('interrupted'));
      cancelSweep?.();
      cancelSweep = null;
      await agent.destroy();
    },
  };
}

/** Remembers the URLs used last. A refusal is not remembered: it may rest on facts that change. */
function makeTargetCache(policy: Policy): (url: string) => AllowedUrl | null {
  const cache = new Map<string, AllowedUrl>();
  return (url) => {
    let target = cache.get(url);
    if (target === undefined) {
      const verdict = policy.checkUrl(url);
      if (!verdict.allowed) return null;
      target = verdict;
      const [oldest] = cache.keys();
      if (cache.size >= urlsCachedMax && oldest !== undefined) cache.delete(oldest);
    } else {
      cache.delete(url);
    }
    cache.set(url, target);
    return target;
  };
}
