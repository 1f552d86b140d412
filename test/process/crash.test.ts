import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { makeFolder, type Server, startServer } from '../support/server.ts';
import { engines } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { crash } from './crash.ts';

// Side by side: most of it is waiting for leases to run out.
describe.concurrent('SIGKILL in the middle', () => {
  it.each(engines)(
    'loses nothing that was acknowledged, and logs every request, on $name',
    async (engine) => {
      const database = await engine.create();
      const result = await crash({ databaseUrl: database.url, kills: 3, lifeMs: { min: 150, max: 400 }, calmMs: 500 });
      await database.close();
      expect(result).toMatchObject({ kills: 3, lost: [], unlogged: [], undelivered: 0, integrity: 'ok' });
      expect(result.repeatsWithoutKills).toBe(0);
      expect(result.repeatsOfOneKillMax).toBeLessThanOrEqual(64);
      expect(result.acknowledged).toBeGreaterThan(15);
    },
    90_000,
  );
});

describe('beside another process', () => {
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

  it('leaves its leases free within 10 s, for another on the same file', async () => {
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
