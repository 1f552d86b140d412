import { interruptionsMax } from '../../../core/rules/retry.ts';
import { deliveryState, endpointStatus, errorCode } from '../../tables.ts';
import type { RunTransaction, Transaction } from '../transaction.ts';
import { attemptColumns } from './attempts.ts';
import { applyMarks, lockEndpoints } from './marks.ts';
import { release } from './release.ts';

/** A retiring worker's leases are its slots and what it leased ahead: far below this. */
const retireLeasesMax = 1_000_000;

const interruptHeld = `
  with held as (
    update deliveries d set attempts = d.attempts + 1, interruptions = d.interruptions + 1, due_at = $3,
      last_error = ${errorCode('interrupted')}, worker_id = null,
      state = case when p.status = ${endpointStatus.deleted} then ${deliveryState.canceled}
        when d.interruptions + 1 > ${interruptionsMax} then ${deliveryState.failed} else ${deliveryState.pending} end
    from events e, endpoints p
    where d.id = any($1) and d.worker_id = $2 and d.state = ${deliveryState.leased} and e.id = d.event_id and p.id = d.endpoint_id
    returning d.id, d.workspace_id, d.endpoint_id, d.state, d.attempts, e.type_id, p.version
  ), logged as (
    insert into attempts (${attemptColumns})
    select workspace_id, endpoint_id, id, type_id, attempts, version, ${errorCode('interrupted')}, null, 0, $3::bigint,
      case when state = ${deliveryState.pending} then $3::bigint end, 0
    from held
  ), marks as (
    select endpoint_id, -count(*) filter (where state <> ${deliveryState.pending})::int as owed,
      max($3::bigint) filter (where state = ${deliveryState.pending}) as due_at
    from held group by endpoint_id
  )
  ${applyMarks}`;

/** Answers an id that no worker had before. */
export async function registerWorker(run: RunTransaction, name: string, now: number): Promise<number> {
  return run(async (trx) => {
    const [row] = await trx.query<{ id: number }>(
      'insert into workers (name, beat_at, started_at) values ($1, $2, $2) returning id',
      [name, now],
    );
    if (row === undefined) throw new Error('the database gave the worker no id');
    return row.id;
  });
}

/** False when the worker was declared dead. */
export async function beat(run: RunTransaction, workerId: number, now: number): Promise<boolean> {
  const update = 'update workers set beat_at = $2 where id = $1 returning id';
  return run(async (trx) => (await trx.query(update, [workerId, now])).length === 1, { durable: false });
}

export async function giveBack(
  run: RunTransaction,
  workerId: number,
  deliveryIds: number[],
  dueAt: number,
): Promise<null> {
  await run((trx) => release(trx, workerId, deliveryIds, dueAt));
  return null;
}

/** Gives back the leases of `unsent`, interrupts what else the worker holds, forgets it. */
export async function retireWorker(
  run: RunTransaction,
  workerId: number,
  unsent: number[],
  now: number,
): Promise<null> {
  await run(async (trx) => {
    await trx.query('select id from workers where id = $1 for update', [workerId]);
    // All at once: locked in two goes, they would no longer be in order.
    const held = await trx.query<{ endpoint_id: number }>(
      `select distinct endpoint_id from deliveries where worker_id = $1 and state = ${deliveryState.leased}`,
      [workerId],
    );
    await lockEndpoints(
      trx,
      held.map((row) => row.endpoint_id),
    );
    await release(trx, workerId, unsent, now);
    await interrupt(trx, workerId, now, retireLeasesMax);
  });
  return null;
}

/** Interrupts the leases of workers silent since `silentSince`, at most `leasesMax`; forgets workers that hold none. */
export async function reapWorkers(
  run: RunTransaction,
  silentSince: number,
  now: number,
  leasesMax: number,
): Promise<number> {
  let freed = 0;
  // One worker a transaction, because the endpoints of several would not be locked in order.
  for (let found = true; found && freed < leasesMax; ) {
    const count = await run((trx) => reapOne(trx, silentSince, now, leasesMax - freed));
    found = count !== null;
    freed += count ?? 0;
  }
  return freed;
}

/** Answers how many leases were freed; null when no worker is silent. */
async function reapOne(trx: Transaction, silentSince: number, now: number, leasesMax: number): Promise<number | null> {
  // Passed over are those that another process reaps already, and those that lease or beat at this moment.
  const [silent] = await trx.query<{ id: number }>(
    'select id from workers where beat_at < $1 order by id limit 1 for update skip locked',
    [silentSince],
  );
  return silent === undefined ? null : interrupt(trx, silent.id, now, leasesMax);
}

/** Interrupts up to `leasesMax` of a worker's leases; forgets the worker once it holds none. Its row is locked. */
async function interrupt(trx: Transaction, workerId: number, now: number, leasesMax: number): Promise<number> {
  const held = await trx.query<{ id: number; endpoint_id: number }>(
    `select id, endpoint_id from deliveries where worker_id = $1 and state = ${deliveryState.leased} limit $2`,
    [workerId, leasesMax],
  );
  if (held.length > 0) {
    await lockEndpoints(trx, [...new Set(held.map((row) => row.endpoint_id))]);
    await trx.query(interruptHeld, [held.map(({ id }) => id), workerId, now]);
    trx.wakesOthers = true;
  }
  if (held.length < leasesMax) await trx.query('delete from workers where id = $1', [workerId]);
  return held.length;
}
