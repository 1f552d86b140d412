import { describe, expect, it, onTestFinished } from 'vitest';
import { createLocalPosthorn } from '../../src/app-local.ts';
import { loadConfig } from '../../src/config.ts';
import { startHarness } from '../support/harness.ts';
import { engines } from '../support/stores.ts';

describe.each(engines)('a process beside a server on $name', (engine) => {
  it('goes by what the server goes by, from its start to its end and after it', async () => {
    const database = await engine.create();
    const environment = { PORT: '0', POSTHORN_NEW_HOSTS: 'approve', POSTHORN_BRAND: 'Acme' };
    const server = await startHarness({ databaseUrl: database.url, environment });
    onTestFinished(async () => {
      await server.close();
      await database.close();
    });
    const subscribe = async (given: Record<string, string> = {}) => {
      const POSTHORN_SECRET_KEY = Buffer.alloc(32, 7).toString('base64');
      const own = loadConfig({
        DATABASE_URL: database.url,
        POSTHORN_SECRET_KEY,
        POSTHORN_LOG_LEVEL: 'error',
        ...given,
      });
      const { posthorn, config } = await createLocalPosthorn(own, {});
      const asked = { url: `${server.receiver.url}/${crypto.randomUUID()}`, events: ['*'] };
      const made = await posthorn.core.createSubscription(server.owner, asked).catch((error: Error) => error);
      await posthorn.stop(0);
      return { made, brand: config.brand };
    };
    expect((await subscribe()).made).toMatchObject({ code: 'target_not_allowed' });
    await server.posthorn.listen();
    const waits = { made: { status: 'pending_approval' }, brand: 'Acme' };
    expect(await subscribe()).toMatchObject(waits);
    expect(await subscribe({ POSTHORN_NEW_HOSTS: 'allow' })).toMatchObject(waits);
    await server.posthorn.stop(0);
    expect(await subscribe()).toMatchObject(waits);
    expect(await subscribe({ POSTHORN_BRAND: 'Own' })).toMatchObject({ ...waits, brand: 'Own' });
  });
});
