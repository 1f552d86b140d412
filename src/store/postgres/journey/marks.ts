import type { Transaction } from '../transaction.ts';

/** What a transaction changes in an endpoint's schedule: how many deliveries more it is owed, and when one is due. */
export interface Mark {
  endpointId: number;
  owed: number;
  dueAt: number | null;
}

/**
 * Locks endpoints for the rest of the transaction. Whoever changes deliveries that exist locks their endpoints first,
 * and always in the order of their ids: two transactions that lock the same rows in different orders wait for each
 * other. The order over all tables is: worker, event, endpoints, deliveries, workspace.
 *
 * Danger: what is decided about a locked row must be read by a statement of its own after this one. A statement sees
 * the database as it was when the statement began, which may be before the lock was had.
 */
export async function lockEndpoints(trx: Transaction, ids: number[]): Promise<void> {
  await trx.query('select id from endpoints where id = any($1) order by id for no key update', [ids]);
}

/**
 * The end of a statement that names its changes `marks (endpoint_id, owed, due_at)`. A held endpoint is not looked at
 * before its hold ends, however early its deliveries are due.
 */
export const applyMarks = `
  update endpoints e set pending_count = e.pending_count + m.owed,
    next_due_at = case when m.due_at is null then e.next_due_at
      else greatest(least(coalesce(e.next_due_at, m.due_at), m.due_at), coalesce(e.held_until, 0)) end
  from marks m where e.id = m.endpoint_id`;

const lockAndApply = `
  with locked as (select id from endpoints where id = any($1) order by id for no key update),
    marks as (
      select t.endpoint_id, t.owed, t.due_at
      from unnest($1::bigint[], $2::int[], $3::bigint[]) as t (endpoint_id, owed, due_at) join locked on locked.id = t.endpoint_id
    )
  ${applyMarks}`;

/**
 * For transactions that only add deliveries: the last thing that they do before they check what they relied on. From
 * here to the commit no lease sees these endpoints, so that none can find no due delivery and forget an endpoint whose
 * delivery is just about to be committed.
 */
export async function mark(trx: Transaction, marks: Mark[]): Promise<void> {
  if (marks.length === 0) return;
  await trx.query(lockAndApply, [
    marks.map(({ endpointId }) => endpointId),
    marks.map(({ owed }) => owed),
    marks.map(({ dueAt }) => dueAt),
  ]);
  if (marks.some(({ dueAt }) => dueAt !== null)) trx.wakesOthers = true;
}
