import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { deliveryState, errorCode } from '../../src/store/tables.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type Server, startServer } from '../support/server.ts';
import { engines, type TestDatabase } from '../support/stores.ts';
import { until } from '../support/until.ts';

const held = ['in-flight', 'leased-1', 'leased-2'];
const publish = async (server: Server, id: string) =>
  expect(await server.request('POST', '/v1/events', { type: 'contact.created', id, data: {} })).toMatchObject({
    status: 202,
  });

/** A process that is stopped with one attempt under way and two leases beside it, and one that takes them over. */
async function takeOver(database: TestDatabase, receiver: Receiver, servers: Server[]) {
  const waiting: ServerResponse[] = [];
  receiver.respond((_request, response) => waiting.push(response));
  const start = async () => {
    const server = await startServer(database.url, { POSTHORN_ENDPOINT_CONCURRENCY: '1' });
    servers.push(server);
    return server;
  };
  const inState = async (state: number) =>
    (await database.db.selectFrom('deliveries').select('id').where('state', '=', state).execute()).length;
  const paused = await start();
  await paused.request('POST', '/v1/webhooks/subscribe', { url: receiver.url, events: ['*'] });
  for (const id of held) await publish(paused, id);
  await until(async () => waiting.length === 1 && (await inState(deliveryState.leased)) === held.length);
  paused.child.kill('SIGSTOP');
  receiver.answer();
  await start();
  await until(async () => (await inState(deliveryState.succeeded)) === held.length);
  return { paused, answerLate: () => waiting[0]?.writeHead(204).end(), inState };
}

describe.concurrent('a process that was paused past its lease', () => {
  it.each(engines)(
    'changes nothing when it comes back, and sends nothing again, on $name',
    async (engine) => {
      const database = await engine.create();
      const receiver = await startReceiver();
      const servers: Server[] = [];
      try {
        expect(await comeBack(database, receiver, servers)).toEqual([]);
      } finally {
        await Promise.all(servers.map((server) => server.kill('SIGKILL')));
        await receiver.close();
        await database.close();
      }
    },
    60_000,
  );
});

/** Answers what is broken in the rows in the end. */
async function comeBack(database: TestDatabase, receiver: Receiver, servers: Server[]): Promise<string[]> {
  const { db } = database;
  const { paused, answerLate, inState } = await takeOver(database, receiver, servers);
  const rows = () => db.selectFrom('attempts').select(['delivery_id', 'attempt', 'error']).orderBy('id').execute();
  const deliveries = () => db.selectFrom('deliveries').selectAll().orderBy('id').execute();
  const [rowsBefore, deliveriesBefore] = [await rows(), await deliveries()];
  answerLate();
  paused.child.kill('SIGCONT');
  for (const told of ['this worker was taken for dead', 'leases were lost, nothing recorded'])
    await until(() => paused.stderr().includes(told));
  expect([await rows(), await deliveries()]).toEqual([rowsBefore, deliveriesBefore]);
  await publish(paused, 'afterwards');
  await until(async () => (await inState(deliveryState.succeeded)) === held.length + 1);
  const sent = receiver.requests.map(({ headers }) => headers['webhook-id']);
  expect([sent[0], sent.slice(1).toSorted((a, b) => String(a).localeCompare(String(b)))]).toEqual([
    held[0],
    ['afterwards', ...held],
  ]);
  const interrupted = rowsBefore.filter(({ error }) => error === errorCode('interrupted'));
  expect([interrupted.length, rowsBefore.length]).toEqual([held.length, 2 * held.length]);
  return brokenInvariants(db, Date.now());
}
