import type { Ports } from '../ports.ts';
import { fanOutNowMax } from './accept.ts';
import { makeMatcher } from './matcher.ts';

/**
 * Makes the deliveries of events that were too wide to be fanned out when they were published, a step at a time. `made` is
 * called after each step, and says whether to go on.
 */
export async function fanOutWide(
  ports: Pick<Ports, 'store' | 'clock' | 'conditions' | 'schemas'>,
  made: () => boolean,
): Promise<void> {
  const { clock } = ports;
  const { journey } = ports.store;
  for (let work = await journey.nextToFanOut(); work !== null; work = await journey.nextToFanOut()) {
    const { eventId, workspaceId, afterEndpointId } = work;
    const matcher = makeMatcher(await journey.matchable(workspaceId), ports);
    const { endpointIds } = await matcher.match(work);
    const owed = endpointIds.filter((id) => id > afterEndpointId);
    const step = owed.slice(0, fanOutNowMax);
    await journey.fanOut({
      eventId,
      workspaceId,
      matchableVersion: matcher.matchable.version,
      endpointIds: step,
      fromEndpointId: afterEndpointId,
      afterEndpointId: owed.length > step.length ? (step.at(-1) ?? null) : null,
      now: clock.now(),
    });
    if (!made()) return;
  }
}
