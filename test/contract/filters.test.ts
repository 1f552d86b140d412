import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/core/inputs.ts';
import { agentScopes } from '../../src/core/vocabulary.ts';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { errorOf, resultOf } from '../mcp/conversation.ts';
import { until } from '../support/until.ts';
import { makeCases } from './cases.ts';
import { type Rest, startRest, subscriptions } from './rest.ts';

let rest: Rest;
let open: ReturnType<typeof makeCases>;
let agent: AnyClient;
beforeAll(async () => {
  rest = await startRest();
  open = makeCases(rest);
  const headers = { authorization: `Bearer ${await rest.makeKey(...agentScopes)}` };
  agent = await connect('2.x auto', { url: new URL(`${rest.base}/mcp`), headers });
  await rest.h.posthorn.startDispatcher();
});
afterAll(async () => {
  await agent.close();
  await rest.close();
});

const publish = async (type: string, data: object) => (await rest.publish({ type, data })).body;
const call = async (name: string, args: Record<string, unknown>) =>
  resultOf(await agent.callTool(name, args)) as unknown as Record<string, unknown>;

describe('the filter of a subscription', () => {
  it('is given, shown, changed and cleared over REST, and decides what is owed', async () => {
    const one = await open();
    const { body } = await rest.subscribe({ events: [one.type], filter: 'data.amount > 100' });
    expect(body.filter).toBe('data.amount > 100');
    await rest.ask('DELETE', `${subscriptions}/${one.id}`);
    expect((await publish(one.type, { amount: 100 })).deliveries).toBe(0);
    expect((await publish(one.type, { amount: 100.5 })).deliveries).toBe(1);
    const path = `${subscriptions}/${body.id}`;
    expect((await rest.ask('PATCH', path, { description: 'x' })).body.filter).toBe('data.amount > 100');
    expect((await rest.ask('PATCH', path, { filter: 'data.amount < 100' })).body.filter).toBe('data.amount < 100');
    expect((await publish(one.type, { amount: 100.5 })).deliveries).toBe(0);
    expect((await rest.ask('PATCH', path, { filter: null })).body.filter).toBeNull();
    expect((await publish(one.type, { amount: 100.5 })).deliveries).toBe(1);
  });

  it('is given and changed through MCP', async () => {
    const one = await open();
    const url = `${rest.h.receiver.url}/mcp`;
    const made = await call('create_webhook_subscription', { url, events: [one.type], filter: 'data.a == 1' });
    expect(made['filter']).toBe('data.a == 1');
    const change = { subscription_id: made['id'], filter: null };
    expect((await call('update_webhook_subscription', change))['filter']).toBeNull();
    const refused = errorOf(await agent.callTool('update_webhook_subscription', { ...change, filter: 'a == 1' }));
    expect(refused).toMatch(/^invalid_expression: filter: unknown variable: a \(line 1, column 1\)/);
  });

  it('is refused with the place of the fault, and stores nothing', async () => {
    const one = await open();
    const refused = await rest.ask('PATCH', `${subscriptions}/${one.id}`, { filter: 'data.amount >\n  amount' });
    expect(refused).toMatchObject({
      status: 422,
      body: {
        code: 'invalid_expression',
        errors: [{ path: '/filter', message: 'unknown variable: amount (line 2, column 3)' }],
      },
    });
    expect((await rest.subscribe({ filter: 'data.amount' })).status).toBe(201);
    expect((await rest.subscribe({ filter: 'data.a.matches("(a+)+")' })).body.code).toBe('invalid_expression');
    expect((await one.show()).filter).toBeNull();
  });

  it('holds 2,048 characters', async () => {
    const text = (length: number) => 'data.a == ""'.replace('""', `"${'x'.repeat(length - 12)}"`);
    expect((await rest.subscribe({ filter: text(limits.conditionCharactersMax) })).status).toBe(201);
    const { status, body } = await rest.subscribe({ filter: text(limits.conditionCharactersMax + 1) });
    expect([status, body.errors[0].path]).toEqual([422, '/filter']);
    expect((await rest.subscribe({ filter: '' })).status).toBe(422);
  });

  it('that has no value stops neither the publish nor the others, and the diagnosis counts it', async () => {
    // A broken filter costs no more than a write a second, and this clock stands still.
    rest.h.clock.advance(1_000);
    const one = await open();
    const broken = (await rest.subscribe({ events: [one.type], filter: 'data.amount > 100' })).body.id;
    expect((await publish(one.type, { sum: 1 })).deliveries).toBe(1);
    const shown = async () => (await rest.ask('GET', `${subscriptions}/${broken}`)).body.diagnosis as string;
    const place = 'there is no field amount; guard it with has() (line 1, column 6)';
    await until(async () => (await shown()).includes('for 1 event since'));
    expect(await shown()).toContain(`but its filter has no value for it: ${place}. Correct the filter`);
    expect(await shown()).toContain(`the last was at ${new Date(rest.h.clock.now()).toISOString()}: ${place}.`);
    await publish(one.type, { sum: 1 });
    await publish(one.type, { sum: 1 });
    rest.h.clock.advance(1_000);
    await until(async () => (await shown()).includes('for 3 events since'));
    await rest.ask('PATCH', `${subscriptions}/${broken}`, { filter: 'has(data.amount)' });
    expect(await shown()).not.toContain('no value');
  });

  it('that excludes the latest event is what the diagnosis says', async () => {
    const one = await open();
    await one.patch({ filter: 'data.stage == "won"' });
    await publish(one.type, { stage: 'lost' });
    expect((await one.show()).diagnosis).toBe(
      `The latest event, ${one.type}, is of a type that it chose, but its filter excludes it: change the filter, or publish one that it takes.`,
    );
    await one.patch({ filter: 'data.stage == "lost"' });
    expect((await one.show()).diagnosis).toContain('replay what was missed');
  });

  it('decides what a replay queues, and is not asked by a test', async () => {
    const one = await open();
    await one.patch({ filter: 'data.stage == "won"' });
    const since = new Date(rest.h.clock.now()).toISOString();
    for (const stage of ['lost', 'won', 'open']) await publish(one.type, { stage });
    await publish(one.type, { other: 1 });
    const replay = async () => (await rest.ask('POST', `${subscriptions}/${one.id}/replay`, { since })).body.queued;
    expect(await replay()).toBe(0);
    await one.patch({ filter: 'data.stage != "won"' });
    expect(await replay()).toBe(2);
    await one.patch({ filter: 'false' });
    expect((await rest.ask('POST', `${subscriptions}/${one.id}/test`)).body.status).toBe('succeeded');
  });
});

describe('a dry run', () => {
  const dryRun = (body: object, key?: string) =>
    rest.ask('POST', '/v1/conditions/dry-run', body, key === undefined ? {} : { key });

  it('judges retained events, newest first, and prints nothing of them', async () => {
    const one = await open();
    await publish(one.type, { amount: 'canary-1' });
    await publish(one.type, { amount: 5 });
    await publish(one.type, { amount: 500 });
    await publish('contact.created', {});
    const { status, text, body } = await dryRun({ events: [one.type], condition: 'data.amount > 100' });
    expect(status).toBe(200);
    expect(body.events.slice(0, 4)).toMatchObject([
      { event_type: 'contact.created', verdict: 'type_not_chosen' },
      { event_type: one.type, verdict: 'matched', reason: null },
      { event_type: one.type, verdict: 'condition_false' },
      { verdict: 'condition_error', reason: '> compares two numbers or two texts (line 1, column 1)' },
    ]);
    expect(body).toMatchObject({ matched: 1, looked_at: body.events.length });
    expect(text).not.toContain('canary');
  });

  it('looks at 100 events, and takes every type when none is named', async () => {
    await rest.ask(
      'POST',
      '/v1/events',
      Array.from({ length: 101 }, () => ({ type: 'task.created', data: {} })),
    );
    expect((await dryRun({})).body).toMatchObject({ looked_at: 100, matched: 100 });
  });

  it('refuses what a filter would be refused for, and needs the scope to have events sent', async () => {
    expect((await dryRun({ condition: 'amount > 1' })).body).toMatchObject({
      code: 'invalid_expression',
      errors: [{ path: '/condition', message: 'unknown variable: amount (line 1, column 1)' }],
    });
    expect((await dryRun({ events: ['no.such'] })).body.code).toBe('unknown_event_type');
    expect((await dryRun({}, await rest.makeKey('webhooks:read'))).status).toBe(403);
    expect((await dryRun({}, await rest.makeKey('webhooks:write'))).status).toBe(200);
  });
});
