import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../support/invariants.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type Server, startServer } from '../support/server.ts';
import { postgresEngine, type TestDatabase } from '../support/stores.ts';
import { until } from '../support/until.ts';

const batches = 12;
const batchSize = 25;

describe('several processes on one PostgreSQL database', () => {
  let database: TestDatabase;
  let receiver: Receiver;
  const servers: Server[] = [];
  beforeEach(async () => {
    database = await postgresEngine.create();
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.kill('SIGKILL')));
    await receiver.close();
    await database.close();
  });

  async function start(environment: Record<string, string> = {}): Promise<Server> {
    const server = await startServer(database.url, environment);
    servers.push(server);
    return server;
  }
  const subscribe = async (server: Server) => {
    const { body } = await server.request('POST', '/v1/webhooks/subscribe', { url: receiver.url, events: ['*'] });
    return async () => {
      const { body: shown } = await server.request('GET', `/v1/webhooks/subscriptions/${String(body['id'])}`);
      return shown['pending_count'];
    };
  };

  it('what one publishes, the other sends', async () => {
    const silent = await start({ POSTHORN_DISPATCH: 'off' });
    const pending = await subscribe(silent);
    const busy = await start();
    for (let n = 1; n <= 3; n++) {
      const { status } = await silent.request('POST', '/v1/events', { type: 'contact.created', data: { n } });
      expect(status).toBe(202);
      await receiver.received(n);
    }
    await until(async () => (await pending()) === 0);
    expect([await busy.kill('SIGTERM'), await silent.kill('SIGTERM')]).toEqual([0, 0]);
    expect(await brokenInvariants(database.db, Date.now())).toEqual([]);
    expect(await database.db.selectFrom('workers').selectAll().execute()).toEqual([]);
  });

  it('loses nothing that was acknowledged when one is killed in the middle', async () => {
    const doomed = await start();
    const other = await start();
    const pending = await subscribe(other);
    const acknowledged: string[] = [];
    for (let batch = 0; batch < batches; batch++) {
      const ids = Array.from({ length: batchSize }, (_, index) => `e${batch}-${index}`);
      const events = ids.map((id) => ({ type: 'contact.created', id, data: { batch } }));
      const { status } = await (batch % 2 === 0 ? other : doomed)
        .request('POST', '/v1/events', events)
        .catch(() => ({ status: 0 }));
      if (status === 202) acknowledged.push(...ids);
      if (batch === batches / 2) await doomed.kill('SIGKILL');
    }
    expect(acknowledged.length).toBeGreaterThan((batches / 2) * batchSize);
    const workers = () => database.db.selectFrom('workers').select('id').execute();
    await until(async () => (await workers()).length === 1);
    await until(async () => (await pending()) === 0);
    const got = new Set(receiver.requests.map(({ headers }) => headers['webhook-id']));
    expect(acknowledged.filter((id) => !got.has(id))).toEqual([]);
    expect(await brokenInvariants(database.db, Date.now())).toEqual([]);
    expect(await unlogged()).toEqual([]);
  }, 60_000);

  /** Events of which the receiver saw more requests than the log has attempts. */
  async function unlogged(): Promise<string[]> {
    const { rows } = await sql<{ public_id: string; count: number }>`
      select e.public_id, sum(d.attempts)::int as count from deliveries d join events e on e.id = d.event_id
      group by e.public_id`.execute(database.db);
    const counts = new Map(rows.map((row) => [row.public_id, row.count]));
    const seen = Map.groupBy(receiver.requests, ({ headers }) => String(headers['webhook-id']));
    return [...seen].filter(([id, group]) => group.length > (counts.get(id) ?? 0)).map(([id]) => id);
  }
});
