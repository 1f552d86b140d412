import type { AcceptBatch, AcceptResult } from '../../../core/ports/journey-store.ts';
import { sameEvent } from '../../same-event.ts';
import type { RunTransaction, Transaction } from '../transaction.ts';
import { firstOfEachId, keyOf, readStored, type StoredEvent, storeEvents } from './events.ts';
import { owe } from './owe.ts';
import { staleWorkspaces } from './stale.ts';
import type { TypeIds } from './type-ids.ts';

/** One publish of the group. */
interface Publish {
  batch: AcceptBatch;
  answer: AcceptResult | null;
}

/** Undoes the transaction: these publishes cannot be stored, and the others go again without them. */
class Refused extends Error {
  readonly answers: Map<Publish, AcceptResult>;
  constructor(answers: Map<Publish, AcceptResult>) {
    super('refused');
    this.answers = answers;
  }
}

/**
 * Stores the publishes of one group in one transaction. One that is stale or conflicts gets its answer and costs the
 * others no more than a second try.
 */
export async function accept(run: RunTransaction, types: TypeIds, batches: AcceptBatch[]): Promise<AcceptResult[]> {
  await types.ensure(batches.flatMap(({ events }) => events.map(({ type }) => type)));
  const publishes = batches.map((batch): Publish => ({ batch, answer: null }));
  for (let open = publishes; open.length > 0; open = publishes.filter(({ answer }) => answer === null)) {
    for (const [publish, answer] of await tryTogether(run, types, withoutSharedIds(open))) publish.answer = answer;
  }
  return publishes.map(({ answer }) => answer ?? { outcome: 'stale' });
}

async function tryTogether(
  run: RunTransaction,
  types: TypeIds,
  publishes: Publish[],
): Promise<Map<Publish, AcceptResult>> {
  try {
    return await run((trx) => store(trx, types, publishes));
  } catch (error) {
    if (error instanceof Refused) return error.answers;
    throw error;
  }
}

/**
 * The publishes that share no event id with an earlier one of the group: whether a later one repeats or conflicts is
 * known only once the earlier one is stored.
 */
function withoutSharedIds(publishes: Publish[]): Publish[] {
  const taken = new Set<string>();
  return publishes.filter(({ batch }) => {
    const keys = batch.events.map(({ publicId }) => keyOf(batch.workspaceId, publicId));
    if (keys.some((key) => taken.has(key))) return false;
    for (const key of keys) taken.add(key);
    return true;
  });
}

async function store(trx: Transaction, types: TypeIds, publishes: Publish[]): Promise<Map<Publish, AcceptResult>> {
  const batches = publishes.map(({ batch }) => batch);
  const made = await storeEvents(trx, types, batches);
  const before = await readStored(trx, batches, made);
  const answers = new Map(publishes.map((publish) => [publish, answerTo(publish.batch, before)]));
  const refused = new Map([...answers].filter(([, { outcome }]) => outcome !== 'stored'));
  if (refused.size === 0)
    await owe(
      trx,
      batches.flatMap((batch) => owedBy(batch, made)),
    );
  // Last, and under the locks of the endpoints that got deliveries: a change of one of them is either seen here, or it
  // waits until this is committed. A lock on the workspace instead would hold up every change for as long as publishes
  // of several processes overlap.
  const stale = await staleWorkspaces(trx, batches);
  for (const publish of publishes) if (stale(publish.batch)) refused.set(publish, { outcome: 'stale' });
  if (refused.size > 0) throw new Refused(refused);
  return answers;
}

/** How a publish is answered, given the events that were there before it. */
function answerTo({ workspaceId, events }: AcceptBatch, before: Map<string, StoredEvent>): AcceptResult {
  const seen = new Map<string, StoredEvent>();
  const answers: { deliveries: number; repeated: boolean }[] = [];
  for (const [index, event] of events.entries()) {
    const key = keyOf(workspaceId, event.publicId);
    const first = before.get(key) ?? seen.get(key);
    if (first !== undefined && !sameEvent(first, event)) return { outcome: 'conflict', index };
    answers.push({ deliveries: first?.deliveries ?? event.endpointIds.length, repeated: first !== undefined });
    if (first === undefined)
      seen.set(key, { type: event.type, data: event.data, deliveries: event.endpointIds.length });
  }
  return { outcome: 'stored', events: answers };
}

function owedBy({ workspaceId, events, now }: AcceptBatch, made: Map<string, number>) {
  return firstOfEachId(events).flatMap(({ publicId, endpointIds, fanOutNow }) => {
    const eventId = made.get(keyOf(workspaceId, publicId));
    return eventId === undefined || !fanOutNow ? [] : [{ workspaceId, eventId, endpointIds, now }];
  });
}
