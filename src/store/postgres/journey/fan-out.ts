import type { FanOutStep } from '../../../core/ports/journey-store.ts';
import type { RunTransaction } from '../transaction.ts';
import { owe } from './owe.ts';
import { staleWorkspaces } from './stale.ts';

class Stale extends Error {}

/** Makes one step of an event's deliveries, unless another worker made it. False: the endpoints changed since they were matched. */
export async function fanOut(run: RunTransaction, step: FanOutStep): Promise<boolean> {
  const { eventId, workspaceId, endpointIds, now } = step;
  try {
    await run(async (trx) => {
      // Two workers that make the same step meet here, and the second one finds it made.
      const [event] = await trx.query<{ fanned_out_after: number | null }>(
        'select fanned_out_after from events where id = $1 for no key update',
        [eventId],
      );
      if (event?.fanned_out_after !== step.fromEndpointId) return;
      await trx.query('update events set fanned_out_after = $2 where id = $1', [eventId, step.afterEndpointId]);
      await owe(trx, [{ workspaceId, eventId, endpointIds, now }]);
      const stale = await staleWorkspaces(trx, [step]);
      if (stale(step)) throw new Stale('the endpoints have changed');
    });
    return true;
  } catch (error) {
    if (!(error instanceof Stale)) throw error;
    return false;
  }
}
