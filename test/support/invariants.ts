import { type Kysely, type RawBuilder, sql } from 'kysely';
import { deliveryState, endpointStatus, type Tables } from '../../src/store/tables.ts';

const { pending, leased } = deliveryState;

type Contradiction = (now: number) => RawBuilder<{ id: number }>;

/** Each query finds the rows that contradict what its name says. */
export const contradictions: Record<string, Contradiction> = {
  'pending_count counts the deliveries that are pending or leased': () =>
    sql`select e.id from endpoints e where e.pending_count <>
        (select count(*) from deliveries d where d.endpoint_id = e.id and d.state in (${pending}, ${leased}))`,
  'next_due_at of an active endpoint is never later than its first due delivery or the end of its hold': (now) =>
    sql`select e.id from endpoints e
        join (select endpoint_id, min(due_at) as due_at from deliveries where state = ${pending} group by endpoint_id) d
          on d.endpoint_id = e.id
        where e.status = ${endpointStatus.active} and (e.next_due_at is null or e.next_due_at >
          case when d.due_at > coalesce(e.held_until, 0) and d.due_at > ${now} then d.due_at
            when coalesce(e.held_until, 0) > ${now} then e.held_until else ${now} end)`,
  'every attempt of a delivery has its row in the log': () =>
    sql`select d.id from deliveries d where d.attempts <> (select count(*) from attempts a where a.delivery_id = d.id)`,
  'a lease belongs to a worker that is there, and nothing else names one': () =>
    sql`select d.id from deliveries d left join workers w on w.id = d.worker_id
        where (d.state = ${leased} and w.id is null) or (d.state <> ${leased} and d.worker_id is not null)`,
  'a deleted endpoint is owed nothing': () =>
    sql`select d.id from deliveries d join endpoints e on e.id = d.endpoint_id
        where e.status = ${endpointStatus.deleted} and d.state = ${pending}`,
};

/**
 * What must hold between the rows of a database whenever no transaction is under way. Answers one sentence for each that
 * does not, with the rows at fault; none is as it should be.
 */
export async function brokenInvariants(db: Kysely<Tables>, now: number): Promise<string[]> {
  const broken: string[] = [];
  for (const [sentence, find] of Object.entries(contradictions)) {
    const { rows: found } = await find(now).execute(db);
    if (found.length > 0) broken.push(`not so: ${sentence} (rows ${found.map(({ id }) => id).join(', ')})`);
  }
  return broken;
}
