import type { Clock } from '../core/ports/ports.ts';
import type { Targets, TargetVerdict } from '../core/ports/sender.ts';
import type { AllowedUrl, Policy } from './address.ts';
import { type Answer, type Lookup, makeLookup } from './lookup.ts';

/** Someone waits for the answer; the sender resolves again for itself. */
export const lookupMs = 5_000;

export interface TargetsOptions {
  policy: Policy;
  clock: Clock;
  /** The system's resolver unless given. */
  lookup?: Lookup;
}

/**
 * Checks a URL when it is given to us: for a quick and clear answer, not for safety, since a name can resolve to
 * something else a moment later. Safe is what the sender does at every connection.
 */
export function makeTargets({ policy, clock, lookup = makeLookup() }: TargetsOptions): Targets {
  return {
    async check(url: string): Promise<TargetVerdict> {
      const verdict = policy.checkUrl(url);
      if (!verdict.allowed) return { allowed: false };
      const answers = verdict.literal ? null : await answersOf(verdict, lookup, clock);
      // One bad answer refuses the set: which of them is connected to is the resolver's choice, not ours.
      const isAllowed = ({ address }: Answer) => policy.addressAllowed(verdict.hostname, address, verdict.port);
      if (answers?.every(isAllowed) === false) return { allowed: false };
      return { allowed: true, url: verdict.url, host: verdict.host, resolves: answers?.length !== 0 };
    },
  };
}

/** No answer for a name that does not resolve, or not in time. */
function answersOf(target: AllowedUrl, lookup: Lookup, clock: Clock): Promise<Answer[]> {
  return new Promise((resolve) => {
    const cancel = clock.after(lookupMs, () => resolve([]));
    const settle = (answers: Answer[]) => {
      cancel();
      resolve(answers);
    };
    lookup(target.hostname).then(settle, () => settle([]));
  });
}
