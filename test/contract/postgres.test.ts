import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../mcp/clients.ts';
import { converse } from '../mcp/conversation.ts';
import { postgresEngine, type TestDatabase } from '../support/stores.ts';
import { type Rest, startRest, subscriptions } from './rest.ts';

let database: TestDatabase;
let rest: Rest;
beforeAll(async () => {
  database = await postgresEngine.create();
  rest = await startRest({ databaseUrl: database.url });
  await rest.h.posthorn.startDispatcher();
});
afterAll(async () => {
  await rest.close();
  await database.close();
});

/** The faces are the same on both engines; this is that they are whole on this one too. */
describe('on PostgreSQL', () => {
  it('REST does everything that can be done to a subscription, its deliveries, events, types and keys', async () => {
    const { ask, h } = rest;
    const { body: made } = await rest.subscribe({}, { headers: { 'idempotency-key': 'once' } });
    const { body: again } = await rest.subscribe({}, { headers: { 'idempotency-key': 'once' } });
    expect(again).toEqual(made);
    const at = `${subscriptions}/${made.id}`;
    h.receiver.answer(500);
    await rest.publish({ id: 'evt-1' });
    expect(await rest.logOf(made.id, 1)).toMatchObject([{ status: 'failed', error: 'http_5xx', attempt: 1 }]);
    const { deliveries } = (await ask('GET', '/v1/events/evt-1')).body;
    expect((await ask('POST', `/v1/deliveries/${deliveries[0].id}/retry`)).status).toBe(200);
    expect(await rest.logOf(made.id, 2)).toMatchObject([{ status: 'succeeded', attempt: 2 }, { attempt: 1 }]);
    expect((await ask('POST', `${at}/rotate-secret`)).body.secret).toMatch(/^whsec_/);
    expect((await ask('POST', `${at}/test`)).body).toMatchObject({ is_test: true, status: 'succeeded' });
    const replay = { since: '2026-01-01T00:00:00Z', status: 'all' };
    expect((await ask('POST', `${at}/replay`, replay)).body).toEqual({ queued: 1, next_since: null });
    await rest.logOf(made.id, 4);
    expect((await ask('DELETE', '/v1/events/evt-1/data')).status).toBe(204);
    expect((await ask('GET', '/v1/events/evt-1')).body.data).toBeNull();
    const type = { description: 'Own.', example: {} };
    expect((await ask('PUT', '/v1/event-types/own.type', type)).status).toBe(200);
    expect((await ask('DELETE', '/v1/event-types/own.type')).status).toBe(204);
    const { body: key } = await ask('POST', '/v1/keys', { name: 'k', scopes: ['events:read'] });
    expect((await ask('GET', '/v1/events', undefined, { key: key.key })).body.data).toHaveLength(1);
    expect((await ask('DELETE', `/v1/keys/${key.id}`)).status).toBe(204);
    expect((await ask('GET', '/v1/events', undefined, { key: key.key })).status).toBe(401);
    expect((await ask('PATCH', at, { status: 'paused' })).body.status).toBe('paused');
    expect((await ask('DELETE', at)).status).toBe(204);
    expect((await ask('GET', at)).status).toBe(404);
  });

  it('an agent holds a whole conversation', async () => {
    rest.h.receiver.requests.splice(0);
    const fresh = await rest.h.posthorn.operator.createWorkspace('agents');
    const owner = await rest.h.posthorn.operator.principal(fresh.name);
    const { key } = await rest.h.core.createKey(owner, { name: 'agent', scopes: [...owner.scopes] });
    const place = { url: new URL(`${rest.base}/mcp`), headers: { authorization: `Bearer ${key}` } };
    const agent = await connect('2.x auto', place);
    await converse(agent, rest.h.receiver);
    await agent.close();
    expect(rest.h.receiver.requests).toHaveLength(2);
  });

  it('every change has its row, and the chains are whole', async () => {
    const verdicts = await rest.h.posthorn.operator.verifyAudit();
    expect(verdicts.map(({ broken }) => broken)).toEqual(verdicts.map(() => null));
    expect((await rest.ask('GET', '/v1/audit')).body.data.at(-1)).toMatchObject({ action: 'workspace.create' });
  });
});
