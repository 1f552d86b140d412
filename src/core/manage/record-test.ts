import { PosthornError } from '../errors.ts';
import type { TestRecord } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import type { AttemptRecord } from '../ports/record-store.ts';

/** How long a record waits before it is tried again when the database did not take it. */
const againMs = 1_000;
/** The caller waits for so many tries; the others go on behind the answer. */
const waitedTriesMax = 3;
const triesMax = 600;

/**
 * Records a test that was sent: the request has left, so its row must not be lost because the database does not take it just
 * now. Throws `store_unavailable` when it takes long; the record is tried again all the same.
 */
export async function recordTest(
  ports: Pick<Ports, 'store' | 'clock' | 'log'>,
  test: TestRecord,
): Promise<AttemptRecord> {
  const { store, clock, log } = ports;
  const again = async (triesLeft: number): Promise<AttemptRecord> => {
    try {
      return await store.journey.recordTest(test);
    } catch (error) {
      const stored = await recorded(store, test).catch(() => null);
      if (stored !== null) return stored;
      if (triesLeft <= 1 || !(error instanceof PosthornError && error.code === 'store_unavailable')) throw error;
      await new Promise<void>((resolve) => clock.after(againMs, resolve));
      return again(triesLeft - 1);
    }
  };
  try {
    return await again(waitedTriesMax);
  } catch (error) {
    if (!(error instanceof PosthornError && error.code === 'store_unavailable')) throw error;
    log.error({ error: String(error), event: test.eventPublicId }, 'a test was sent and is not recorded yet');
    void again(triesMax).catch((last: unknown) => {
      log.error({ error: String(last), event: test.eventPublicId }, 'a test that was sent could not be recorded');
    });
    throw error;
  }
}

/**
 * What an earlier try stored of which nobody knew what had become: the connection broke with its commit. The event's id is
 * this test's own, so that the next try would meet itself.
 */
async function recorded({ records }: Ports['store'], test: TestRecord): Promise<AttemptRecord | null> {
  const { workspaceId, eventPublicId } = test;
  const event = await records.event(workspaceId, eventPublicId);
  if (event === null) return null;
  const [delivery] = (await records.deliveries(workspaceId, { eventId: event.id, limit: 1 })).rows;
  const [attempt] = delivery === undefined ? [] : await records.attemptsOf(workspaceId, delivery.id, 1);
  return attempt === undefined ? null : { ...attempt, excerpt: test.attempt.excerpt };
}
