import { deliveryState, endpointStatus, errorCode } from '../../src/store/tables.ts';
import type { Chaos } from './chaos.ts';
import { guarded } from './database.ts';
import { fanOutStepMax, settings } from './life.ts';
import type { Sent } from './network.ts';
import type { Simulation } from './run.ts';

/** How soon the first attempt follows the commit when nothing stands in its way. */
const promptMs = 150;

interface DeliveryRow {
  id: number;
  event: string;
  data: string | null;
  endpoint: string;
  endpoint_id: number;
  status: number;
  state: number;
  attempts: number;
  steps: number;
  interruptions: number;
  logged: number;
  interrupted: number;
  numbers: number;
}

/** What was promised, held against what the client was told and what the network saw. */
export function checkPromises(simulation: Simulation, allowed: Chaos & { repeats: boolean }): void {
  const { world, watch, network, client } = simulation;
  watch.check(true);
  const deliveries = readDeliveries(simulation);
  const sent = Map.groupBy(
    network.sent.filter(({ isTest }) => !isTest),
    ({ eventId, endpoint }) => `${eventId} ${endpoint}`,
  );
  for (const row of deliveries) {
    const requests = sent.get(`${row.event} ${row.endpoint}`) ?? [];
    for (const fault of deliveryFaults(row, requests, client.askedAgain))
      world.fault(`${fault} (${row.event} to ${row.endpoint})`);
    if (!allowed.repeats && !client.askedAgain) for (const fault of repeatFaults(row, requests)) world.fault(fault);
    sent.delete(`${row.event} ${row.endpoint}`);
  }
  for (const stray of sent.keys()) world.fault(`${stray} was sent and is owed to nobody`);
  checkAcknowledged(simulation, deliveries);
  const calm = !allowed.repeats && !allowed.unknownOutcomes && !allowed.badReceivers && !allowed.people;
  if (calm) checkPromptness(simulation);
}

function readDeliveries({ db }: Simulation): DeliveryRow[] {
  const rows = guarded(db, () => {}).prepare<[], DeliveryRow & { url: string }>(
    `select d.id, ev.public_id as event, ev.data, e.url, e.id as endpoint_id, e.status, d.state, d.attempts, d.steps,
       d.interruptions, count(a.id) as logged, count(distinct a.attempt) as numbers,
       count(a.id) filter (where a.error = ${errorCode('interrupted')}) as interrupted
     from deliveries d join events ev on ev.id = d.event_id join endpoints e on e.id = d.endpoint_id
     left join attempts a on a.delivery_id = d.id where ev.is_test = 0 group by d.id`,
  );
  return rows.all().map((row) => ({ ...row, endpoint: new URL(row.url).pathname.split('/')[1] ?? '' }));
}

function deliveryFaults(row: DeliveryRow, requests: Sent[], askedAgain: boolean): string[] {
  const faults: string[] = [];
  const { pending, leased, succeeded, failed, canceled } = deliveryState;
  if (row.logged < requests.length) faults.push(`${requests.length} requests, ${row.logged} rows in the log`);
  if (row.numbers !== row.logged) faults.push('two attempts have the same number');
  if (row.interrupted !== row.interruptions && !askedAgain) faults.push('interruptions are counted wrong');
  if (row.attempts !== row.steps + row.interruptions && !askedAgain)
    faults.push('steps of the schedule are counted wrong');
  if (row.state === leased) faults.push('still leased');
  if (row.state === pending && row.status === endpointStatus.active) faults.push('still pending');
  const well = requests.some(({ status }) => status !== null && status >= 200 && status < 300);
  // What a process that died had answered nobody knows, but it was seen.
  const seen = requests.some(({ seen: one }) => one);
  if (row.state === succeeded && !well) faults.push('succeeded without an answer');
  if (row.state === succeeded && !seen) faults.push('succeeded, and nobody saw it');
  const refused = requests.some(({ status }) => status === 413);
  const tried = row.logged - row.interrupted;
  if (row.state === failed && !refused && tried <= settings.retryScheduleMs.length && row.interruptions <= 10)
    faults.push('given up too early');
  const isOver = row.data === null || row.status === endpointStatus.deleted;
  if (row.state === canceled && !isOver) faults.push('canceled without a reason');
  return faults;
}

function repeatFaults(row: DeliveryRow, requests: Sent[]): string[] {
  const faults: string[] = [];
  const first = requests.findIndex(({ status }) => status !== null && status >= 200 && status < 300);
  if (first >= 0 && first < requests.length - 1) faults.push(`${row.event} was sent again after it succeeded`);
  if (row.logged !== requests.length)
    faults.push(`${row.event}: ${requests.length} requests, ${row.logged} rows in the log`);
  const overlaps = requests.some((one, index) => {
    const next = requests[index + 1];
    return next !== undefined && (one.endedAt === null || one.endedAt > next.startedAt);
  });
  if (overlaps) faults.push(`${row.event} was sent while its attempt was under way`);
  return faults;
}

function checkAcknowledged({ world, client, watch, db }: Simulation, deliveries: DeliveryRow[]): void {
  const stored = new Map(
    guarded(db, () => {})
      .prepare<[], { public_id: string; data: string | null }>('select public_id, data from events')
      .all()
      .map(({ public_id, data }) => [public_id, data]),
  );
  const deleted = new Set(
    guarded(db, () => {})
      .prepare<[], number>(`select id from endpoints where status = ${endpointStatus.deleted}`)
      .pluck()
      .all(),
  );
  const made = new Set(deliveries.map(({ event, endpoint_id }) => `${event} ${endpoint_id}`));
  for (const [id, { data }] of client.acknowledged) {
    const found = stored.get(id);
    if (found === undefined) {
      world.fault(`${id} was acknowledged and is not there`);
      continue;
    }
    if (found !== data && !(found === null && client.erased.has(id))) world.fault(`${id} is stored with other data`);
    const owed = watch.owed.get(id) ?? [];
    // The deliveries of a wide event come after it: whoever was deleted by then is owed nothing.
    const isWide = owed.length > fanOutStepMax;
    const missing = owed.filter((endpoint) => !made.has(`${id} ${endpoint}`) && !(isWide && deleted.has(endpoint)));
    if (missing.length > 0 && found !== null)
      world.fault(`${id} was acknowledged and owed to endpoint ${missing.join(', ')}, which never got it`);
  }
}

function checkPromptness({ world, watch, network }: Simulation): void {
  for (const [id, at] of watch.storedAt) {
    const first = network.sent.find(({ eventId }) => eventId === id);
    const isWide = (watch.owed.get(id) ?? []).length > fanOutStepMax;
    if (first !== undefined && first.startedAt - at > promptMs && !isWide)
      world.fault(`an event waited ${Math.round(first.startedAt - at)} ms to be sent`);
  }
}
