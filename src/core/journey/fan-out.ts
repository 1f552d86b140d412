import type { FanOutStep, FanOutWork } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import { fanOutNowMax } from './accept.ts';
import { makeMatcher, type Matcher } from './matcher.ts';

/** Events that one transaction fans out at most: each is read with its payload, of up to 256 KiB. */
const eventsMax = 32;

type FanOutPorts = Pick<Ports, 'store' | 'clock' | 'conditions' | 'schemas'>;

/**
 * Makes the deliveries of events that were too wide to be fanned out when they were published, one transaction's worth
 * at a time. `made` is called after each, and says whether to go on.
 */
export async function fanOutWide(ports: FanOutPorts, made: () => boolean): Promise<void> {
  const { journey } = ports.store;
  for (;;) {
    const work = await journey.nextToFanOut(eventsMax);
    if (work.length === 0) return;
    const steps = await stepsOf(ports, work);
    await Promise.all(steps.map((step) => journey.fanOut(step)));
    if (!made()) return;
  }
}

/** The next step of each event, as many as make a transaction of sensible size, and one at least. */
async function stepsOf(ports: FanOutPorts, works: FanOutWork[]): Promise<FanOutStep[]> {
  const matchers = new Map<number, Matcher>();
  const activeAt = Math.min(...works.map(({ createdAt }) => createdAt));
  const steps: FanOutStep[] = [];
  let left = fanOutNowMax;
  for (const work of works) {
    if (left <= 0) break;
    const { eventId, workspaceId, afterEndpointId, createdAt } = work;
    const matcher =
      matchers.get(workspaceId) ?? makeMatcher(await ports.store.journey.matchable(workspaceId, activeAt), ports);
    matchers.set(workspaceId, matcher);
    const { endpointIds } = await matcher.match(work);
    const gone = goneBefore(matcher, createdAt);
    const owed = endpointIds.filter((id) => id > afterEndpointId && !gone.has(id));
    const step = owed.slice(0, left);
    left -= step.length;
    steps.push({
      eventId,
      workspaceId,
      matchableVersion: matcher.matchable.version,
      endpointIds: step,
      fromEndpointId: afterEndpointId,
      afterEndpointId: owed.length > step.length ? (step.at(-1) ?? null) : null,
      now: ports.clock.now(),
    });
  }
  return steps;
}

/** Endpoints that had ceased to be active when the event came: what was active then is owed it, as every narrow event is. */
function goneBefore({ matchable }: Matcher, time: number): Set<number> {
  const gone = matchable.endpoints.filter(({ activeUntil }) => activeUntil !== null && activeUntil < time);
  return new Set(gone.map(({ id }) => id));
}
