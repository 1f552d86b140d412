import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReplayStep } from '../../src/core/ports/delivery-store.ts';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import { openPool } from '../../src/store/postgres/connection.ts';
import { fanOut } from '../../src/store/postgres/journey/fan-out.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { postgresEngine, useDatabase } from '../support/stores.ts';
import { gated, untilWaiting } from './postgres-gates.ts';
import { deliver, publish, reread, second, seedEndpoint, seedWorkspace, t0 } from './seed.ts';

const later = t0 + 60 * second;

describe('a replay beside another process on PostgreSQL', () => {
  const on = useDatabase(postgresEngine);
  let pool: Pool;
  beforeEach(() => {
    pool = openPool(on.database.url, 4);
  });
  afterEach(() => pool.end());

  const step = (endpoint: EndpointRecord): ReplayStep => ({
    endpointId: endpoint.id,
    types: ['contact.created'],
    afterEventId: 0,
    since: t0,
    until: later,
    failed: true,
    missed: true,
    succeeded: false,
    countMax: 100,
    now: later,
  });

  it('counts only what is still there when it was pruned meanwhile', async () => {
    const endpoint = await seedEndpoint(on.store, await seedWorkspace(on.store));
    const failed = { error: 'http_5xx', responseCode: 500 } as const;
    const pruned = await deliver(on.store, endpoint, failed);
    await deliver(on.store, endpoint, failed);
    const client = await pool.connect();
    await client.query('begin');
    await client.query('delete from attempts where delivery_id = $1', [pruned]);
    await client.query('delete from deliveries where id = $1', [pruned]);
    const replaying = on.store.deliveries.replay(endpoint.workspaceId, step(endpoint));
    await untilWaiting(pool);
    await client.query('commit');
    client.release();
    expect(await replaying).toMatchObject({ queued: 1 });
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 1 });
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });

  it('waits for no step of a wide event, which would wait for it', async () => {
    const endpoint = await seedEndpoint(on.store, await seedWorkspace(on.store));
    const { workspaceId, id } = endpoint;
    await publish(on.store, workspaceId, [{ endpointIds: [id], fanOutNow: false }]);
    const [{ eventId } = expect.fail()] = await on.store.journey.nextToFanOut(1);
    const { version: matchableVersion } = await on.store.journey.matchable(workspaceId);
    const { run, gate } = gated(pool, /insert into deliveries/);
    const made = {
      eventId,
      workspaceId,
      matchableVersion,
      endpointIds: [id],
      fromEndpointId: 0,
      afterEndpointId: null,
    };
    const fanningOut = fanOut(run, { ...made, now: t0 });
    await gate.reached;
    expect(await on.store.deliveries.replay(workspaceId, step(endpoint))).toMatchObject({ queued: 0 });
    gate.open();
    expect(await fanningOut).toBe(true);
    expect(await reread(on.store, endpoint)).toMatchObject({ pendingCount: 1 });
    expect(await brokenInvariants(on.database.db, later)).toEqual([]);
  });
});
