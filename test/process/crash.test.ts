import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { makeFolder, type Server, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const kills = 3;
const livesMs = 250;
let folder: ReturnType<typeof makeFolder>;
let receiver: Receiver;
const servers: Server[] = [];
beforeEach(async () => {
  folder = makeFolder();
  receiver = await startReceiver();
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.kill('SIGKILL')));
  await receiver.close();
  folder.remove();
});

async function start(environment: Record<string, string> = {}): Promise<Server> {
  const server = await startServer(`file:${join(folder.path, 'p.db')}`, environment);
  servers.push(server);
  return server;
}

/** Publishes one by one until the server is gone; answers the ids that were acknowledged. */
async function publishUntilGone(server: Server, life: number): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let n = 0; ; n++) {
    const id = `life-${life}-${n}`;
    try {
      const { status } = await server.request('POST', '/v1/events', { type: 'contact.created', id, data: { n } });
      if (status === 202) acknowledged.push(id);
    } catch {
      return acknowledged;
    }
  }
}

describe('SIGKILL in the middle', () => {
  it('loses nothing that was acknowledged, and every request that went out has its row', async () => {
    let server = await start();
    const { body } = await server.request('POST', '/v1/webhooks/subscribe', { url: receiver.url, events: ['*'] });
    const acknowledged: string[] = [];
    for (let life = 0; life < kills; life++) {
      const publishing = [publishUntilGone(server, life * 2), publishUntilGone(server, life * 2 + 1)];
      const before = receiver.requests.length;
      await until(() => receiver.requests.length > before + 5);
      await new Promise((resolve) => setTimeout(resolve, livesMs));
      await server.kill('SIGKILL');
      acknowledged.push(...(await Promise.all(publishing)).flat());
      server = await start();
    }
    const got = () => new Set(receiver.requests.map(({ headers }) => headers['webhook-id']));
    await until(async () => {
      const { body: shown } = await server.request('GET', `/v1/webhooks/subscriptions/${String(body['id'])}`);
      return shown['pending_count'] === 0;
    });
    expect(acknowledged.length).toBeGreaterThan(kills * 5);
    expect(acknowledged.filter((id) => !got().has(id))).toEqual([]);
    expect(await server.kill('SIGTERM')).toBe(0);
    expectLogged(join(folder.path, 'p.db'), receiver);
  }, 60_000);

  it('frees the leases of a process that died within 10 s, for another on the same file', async () => {
    receiver.respond(() => {});
    const first = await start();
    await first.request('POST', '/v1/webhooks/subscribe', { url: receiver.url, events: ['*'] });
    await first.request('POST', '/v1/events', { type: 'contact.created', id: 'held', data: {} });
    await receiver.received(1);
    const second = await start();
    receiver.answer();
    const died = performance.now();
    await first.kill('SIGKILL');
    await receiver.received(2);
    expect(performance.now() - died).toBeLessThan(10_000);
    await until(async () => {
      const { body } = await second.request('GET', '/v1/events/held');
      return (body['deliveries'] as { status: string }[])[0]?.status === 'succeeded';
    });
    const { body } = await second.request('GET', '/v1/events/held');
    expect(body['deliveries']).toMatchObject([{ status: 'succeeded', attempts: 2 }]);
  }, 30_000);
});

describe('two processes on one file', () => {
  it('what one publishes, the other sends', async () => {
    const silent = await start({ POSTHORN_DISPATCH: 'off' });
    await silent.request('POST', '/v1/webhooks/subscribe', { url: receiver.url, events: ['*'] });
    const busy = await start();
    const { status } = await silent.request('POST', '/v1/events', { type: 'contact.created', id: 'over', data: {} });
    expect(status).toBe(202);
    await receiver.received(1);
    await until(async () => {
      const { body } = await busy.request('GET', '/v1/events/over');
      return (body['deliveries'] as { status: string }[])[0]?.status === 'succeeded';
    });
    expect(await busy.kill('SIGTERM')).toBe(0);
  });
});

/** Every request that the receiver saw belongs to an attempt in the log, and the file is whole. */
function expectLogged(path: string, { requests }: Receiver): void {
  const db = new Database(path, { readonly: true });
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  const logged = db
    .prepare(
      `select e.public_id as id, count(*) as count from attempts a join deliveries d on d.id = a.delivery_id
       join events e on e.id = d.event_id group by e.public_id`,
    )
    .all() as { id: string; count: number }[];
  const counts = new Map(logged.map(({ id, count }) => [id, count]));
  const seen = Map.groupBy(requests, ({ headers }) => String(headers['webhook-id']));
  const unlogged = [...seen].filter(([id, group]) => group.length > (counts.get(id) ?? 0)).map(([id]) => id);
  expect(unlogged).toEqual([]);
  db.close();
}
