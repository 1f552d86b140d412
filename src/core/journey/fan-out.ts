import type { Ports } from '../ports.ts';
import { wants } from '../rules/match.ts';
import { fanOutNowMax } from './accept.ts';

/**
 * Makes the deliveries of events that were too wide to be fanned out when they were published, a step at a time. `made` is
 * called after each step, and says whether to go on.
 */
export async function fanOutWide({ store, clock }: Pick<Ports, 'store' | 'clock'>, made: () => boolean): Promise<void> {
  const { journey } = store;
  for (let work = await journey.nextToFanOut(); work !== null; work = await journey.nextToFanOut()) {
    const { eventId, workspaceId, type, afterEndpointId } = work;
    const { version, endpoints } = await journey.matchable(workspaceId);
    const owed = endpoints.filter(({ id, events }) => id > afterEndpointId && wants(events, type)).map(({ id }) => id);
    const step = owed.slice(0, fanOutNowMax);
    await journey.fanOut({
      eventId,
      workspaceId,
      matchableVersion: version,
      endpointIds: step,
      fromEndpointId: afterEndpointId,
      afterEndpointId: owed.length > step.length ? (step.at(-1) ?? null) : null,
      now: clock.now(),
    });
    if (!made()) return;
  }
}
