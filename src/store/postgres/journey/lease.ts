import type { LeasedBatch, LeasedDelivery, LeasedEvent, Share } from '../../../core/ports/journey-store.ts';
import { givingWay } from '../../../core/rules/give-way.ts';
import { deliveryState, endpointStatus } from '../../tables.ts';
import type { RunTransaction, Transaction } from '../transaction.ts';
import type { Unhanded } from './unhanded.ts';

/**
 * How long endpoints are waited for that others hold. Transactions take milliseconds; but a process that was stopped in
 * the middle of one must not stop all the others' deliveries with it.
 */
const busyMsMax = 250;

/** Of an endpoint's newest due deliveries, so many for each first attempt that is looked for. */
const lookedAtPerFirst = 4;

interface EndpointRow {
  id: number;
  workspace_id: number;
  version: number;
}
interface TakenRow {
  id: number;
  endpoint_id: number;
  event_id: number;
  attempts: number;
  steps: number;
  due_at: number;
  state: number;
}
interface EventRow {
  id: number;
  public_id: string;
  type: string;
  data: string | null;
  occurred_at: number;
}

// The worker's row is shared with whoever leases and taken away by whoever reaps: a dead worker can lease nothing that
// nobody would ever look for.
const lockEndpoints = `
  select e.id, e.workspace_id, e.version from workers w join endpoints e on e.id = any($2)
  where w.id = $1 and e.status = ${endpointStatus.active} and coalesce(e.held_until, 0) <= $3
  order by e.id
  for key share of w for no key update of e`;

// What was erased while an attempt was under way is canceled: there is nothing left to send.
const take = `
  with due as (
    select d.id, ev.data is null as erased
    from unnest($1::bigint[], $2::int[]) as s (endpoint_id, count)
      cross join lateral (
        select id, event_id from deliveries
        where endpoint_id = s.endpoint_id and state = ${deliveryState.pending} and due_at <= $3
        order by due_at limit s.count for no key update skip locked
      ) d
      join events ev on ev.id = d.event_id
  )
  update deliveries d set
    state = case when due.erased then ${deliveryState.canceled} else ${deliveryState.leased} end,
    worker_id = case when due.erased then null else $4::bigint end
  from due where d.id = due.id
  returning d.id, d.endpoint_id, d.event_id, d.attempts, d.steps, d.due_at, d.state`;

// First attempts among an endpoint's newest due deliveries, in the place of retries that give way to them.
const takeFirst = `
  update deliveries d set state = ${deliveryState.leased}, worker_id = $4
  from unnest($1::bigint[], $2::int[]) as s (endpoint_id, count)
    cross join lateral (
      select id from (
        select id, event_id, attempts from deliveries
        where endpoint_id = s.endpoint_id and state = ${deliveryState.pending} and due_at <= $3
        order by due_at desc limit s.count * ${lookedAtPerFirst} for no key update skip locked
      ) newest
      where attempts = 0 and exists (select 1 from events ev where ev.id = newest.event_id and ev.data is not null)
      limit s.count
    ) first
  where d.id = first.id
  returning d.id, d.endpoint_id, d.event_id, d.attempts, d.steps, d.due_at, d.state`;

const release = `update deliveries set state = ${deliveryState.pending}, worker_id = null where id = any($1)`;

// More is due already: "now" instead of its own time sends the endpoint to the end of the queue. That is what makes
// claiming go round, and why a backlog does not starve an endpoint whose first delivery became due a moment ago.
const lookNext = `
  update endpoints e set next_due_at = case when n.due_at is null then null else greatest(n.due_at, $3) end,
    pending_count = e.pending_count - n.canceled
  from (
    select s.id, s.canceled,
      (select min(d.due_at) from deliveries d where d.endpoint_id = s.id and d.state = ${deliveryState.pending}) as due_at
    from unnest($1::bigint[], $2::int[]) as s (id, canceled)
  ) n
  where e.id = n.id`;

const readEvents = `
  select e.id, e.public_id, t.name as type, e.data, e.occurred_at
  from events e join type_names t on t.id = e.type_id where e.id = any($1)`;

/**
 * Leases due deliveries and leaves each endpoint marked with when to look there next.
 *
 * Danger: that mark is where wake-ups get lost. Whoever adds a delivery marks its endpoint just before he commits; if a
 * lease found no delivery there, and then wrote "nothing due" over that mark, the delivery would wait for ever. So the
 * endpoints are locked by one statement, and what is due is read by the next ones, which see all that was committed
 * before the lock was had. In a single statement, the reading would see the database as it was before the waiting.
 */
export async function lease(
  run: RunTransaction,
  unhanded: Unhanded,
  request: Request,
  waitMsMax = busyMsMax,
): Promise<LeasedBatch> {
  const first = await attempt(run, unhanded, request, null);
  // Whoever gets less than he asked for takes it that nothing more is due there. So those that others held are waited
  // for: in a transaction of its own, because locked after the others they would be locked out of order.
  const busy = request.shares.filter(({ endpointId }) => !first.seen.has(endpointId));
  if (busy.length === 0) return first.batch;
  try {
    const { batch } = await attempt(run, unhanded, { ...request, shares: busy }, waitMsMax);
    return {
      deliveries: [...first.batch.deliveries, ...batch.deliveries],
      events: new Map([...first.batch.events, ...batch.events]),
    };
  } catch (error) {
    // What the first transaction leased is leased, whatever became of the second.
    if (first.batch.deliveries.length > 0 || isLockTimeout(error)) return first.batch;
    throw error;
  }
}

function isLockTimeout(error: unknown): boolean {
  return (error as { code?: unknown }).code === '55P03';
}

type Request = { workerId: number; shares: Share[]; now: number };
interface Found {
  batch: LeasedBatch;
  /** Endpoints that were locked and looked at. */
  seen: Set<number>;
}

/** `wait`: how many milliseconds endpoints that others hold are waited for; null passes them over. */
async function attempt(run: RunTransaction, unhanded: Unhanded, request: Request, wait: number | null): Promise<Found> {
  let taken: number[] = [];
  const work = async (trx: Transaction): Promise<Found> => {
    await unhanded.giveBack(trx, request.workerId);
    const found = await leaseOnce(trx, request, wait);
    taken = found.batch.deliveries.map(({ id }) => id);
    return found;
  };
  try {
    // The disk is not waited for: a server that crashes and forgets a lease makes the delivery due again, and the fence
    // refuses whoever still thinks that he holds it.
    const found = await run(work, { durable: false });
    unhanded.forget(request.workerId);
    return found;
  } catch (error) {
    unhanded.remember(request.workerId, taken, error);
    throw error;
  }
}

async function leaseOnce(trx: Transaction, { workerId, shares, now }: Request, wait: number | null): Promise<Found> {
  const asked = shares.map(({ endpointId }) => endpointId);
  if (wait !== null) await trx.query(`set local lock_timeout = ${wait}`);
  const passOver = wait === null ? 'skip locked' : '';
  const endpoints = await trx.query<EndpointRow>(`${lockEndpoints} ${passOver}`, [workerId, asked, now]);
  if (endpoints.length === 0) return { batch: { deliveries: [], events: new Map() }, seen: new Set() };
  const locked = new Map(endpoints.map((row) => [row.id, row]));
  const open = shares.filter(({ endpointId }) => locked.has(endpointId));
  const rows = await trx.query<TakenRow>(take, [
    open.map(({ endpointId }) => endpointId),
    open.map(({ count }) => count),
    now,
    workerId,
  ]);
  const leased = await preferFirst(trx, { workerId, shares: open, now }, rows);
  const canceled = Map.groupBy(
    rows.filter(({ state }) => state === deliveryState.canceled),
    (row) => row.endpoint_id,
  );
  const ids = endpoints.map(({ id }) => id);
  await trx.query(lookNext, [ids, ids.map((id) => canceled.get(id)?.length ?? 0), now]);
  const batch = { deliveries: inOrder(open, locked, leased), events: await events(trx, leased) };
  return { batch, seen: new Set(ids) };
}

/** What is leased, once of many retries some gave way to first attempts. */
async function preferFirst(
  trx: Transaction,
  { workerId, shares, now }: Request,
  rows: TakenRow[],
): Promise<TakenRow[]> {
  const byEndpoint = Map.groupBy(rows, (row) => row.endpoint_id);
  const giving = new Map<number, TakenRow[]>();
  for (const { endpointId, count } of shares) {
    const taken = (byEndpoint.get(endpointId) ?? []).toSorted(byDueAt);
    const some = givingWay(taken, count, now).filter(({ state }) => state === deliveryState.leased);
    if (some.length > 0) giving.set(endpointId, some);
  }
  const leased = rows.filter(({ state }) => state === deliveryState.leased);
  if (giving.size === 0) return leased;
  const counts = [...giving.values()].map(({ length }) => length);
  const first = await trx.query<TakenRow>(takeFirst, [[...giving.keys()], counts, now, workerId]);
  const released = new Set<TakenRow>();
  for (const { endpoint_id } of first) {
    const row = giving.get(endpoint_id)?.pop();
    if (row !== undefined) released.add(row);
  }
  if (released.size > 0) await trx.query(release, [[...released].map(({ id }) => id)]);
  return [...leased.filter((row) => !released.has(row)), ...first];
}

function byDueAt(a: TakenRow, b: TakenRow): number {
  return a.due_at - b.due_at || a.id - b.id;
}

/** As the shares were asked for, and of each endpoint the longest due first. */
function inOrder(shares: Share[], endpoints: Map<number, EndpointRow>, rows: TakenRow[]): LeasedDelivery[] {
  const byEndpoint = Map.groupBy(rows, (row) => row.endpoint_id);
  return shares.flatMap(({ endpointId }) => {
    const endpoint = endpoints.get(endpointId);
    const due = (byEndpoint.get(endpointId) ?? []).toSorted(byDueAt);
    return due.map((row) => ({
      id: row.id,
      workspaceId: endpoint?.workspace_id ?? 0,
      endpointId,
      eventId: row.event_id,
      endpointVersion: endpoint?.version ?? 0,
      attempts: row.attempts,
      steps: row.steps,
    }));
  });
}

async function events(trx: Transaction, rows: TakenRow[]): Promise<Map<number, LeasedEvent>> {
  if (rows.length === 0) return new Map();
  const found = await trx.query<EventRow>(readEvents, [[...new Set(rows.map((row) => row.event_id))]]);
  return new Map(
    found.map(({ id, public_id: publicId, type, data, occurred_at: occurredAt }) => [
      id,
      { publicId, type, data: data ?? 'null', occurredAt },
    ]),
  );
}
