import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../mcp/clients.ts';
import { type Answered, type Rest, startRest, subscriptions } from './rest.ts';

const dayMs = 24 * 3_600_000;

let rest: Rest;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());

const under = (key: string, more: object = {}, asking: object = {}) =>
  rest.subscribe(more, { headers: { 'Idempotency-Key': key }, ...asking });
const count = async () => (await rest.ask('GET', `${subscriptions}?limit=200`)).body.data.length as number;
const made = ({ status, body }: Answered) => ({ status, body });

describe('an Idempotency-Key', () => {
  it('gives the same answer again, secret included, and makes one subscription', async () => {
    const before = await count();
    const first = await under('again');
    expect(first).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^whsec_/) } });
    expect(made(await under('again'))).toEqual(made(first));
    expect(await count()).toBe(before + 1);
  });

  it('that ten requests bring at once makes one subscription, and all get its secret', async () => {
    const before = await count();
    const answers = await Promise.all(Array.from({ length: 10 }, () => under('at once')));
    expect(new Set(answers.map((answer) => JSON.stringify(made(answer)))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^whsec_/) } });
    expect(await count()).toBe(before + 1);
  });

  it('that two different requests bring at once serves one of them', async () => {
    const before = await count();
    const answers = await Promise.all([under('either', { events: ['*'] }), under('either', { events: ['contact.*'] })]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
    expect(await count()).toBe(before + 1);
  });

  it('that was used for something else is a conflict', async () => {
    const first = await under('taken');
    const other = await under('taken', { description: 'another' });
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
    expect(other.text).not.toContain(first.body.secret);
  });

  it('looks at what is asked for, not at the order of its fields', async () => {
    const url = `${rest.h.receiver.url}/order`;
    const texts = [`{"url":"${url}","events":["*"]}`, ` { "events" : ["*"], "url" : "${url}" } `];
    const ask = (text: string) =>
      rest.ask('POST', '/v1/webhooks/subscribe', text, { headers: { 'idempotency-key': 'order' } });
    const [first, second] = [await ask(texts[0] ?? ''), await ask(texts[1] ?? '')];
    expect(made(second)).toEqual(made(first));
  });

  it('holds for 24 hours', async () => {
    const first = await under('for a day');
    await rest.pass(dayMs - 1);
    expect((await under('for a day')).body.id).toBe(first.body.id);
    await rest.pass(1);
    const later = await under('for a day');
    expect(later.status).toBe(201);
    expect(later.body.id).not.toBe(first.body.id);
    expect(later.body.secret).not.toBe(first.body.secret);
  });

  it('belongs to the API key that used it: another one gets neither the answer nor the secret', async () => {
    const [ann, bob] = [await rest.makeKey('webhooks:write'), await rest.makeKey('webhooks:write')];
    const hers = await under('shared', {}, { key: ann });
    const his = await under('shared', {}, { key: bob });
    expect([hers.status, his.status]).toEqual([201, 201]);
    expect(his.body.id).not.toBe(hers.body.id);
    expect(his.body.secret).not.toBe(hers.body.secret);
  });

  it('is not used up by a request that was refused', async () => {
    expect((await under('mended', { events: ['contact.create'] })).status).toBe(422);
    expect((await under('mended')).status).toBe(201);
  });

  it.each([
    ['of 1 character', 'k', 201],
    ['of 255 characters', 'k'.repeat(255), 201],
    ['of 256 characters', 'k'.repeat(256), 422],
    ['of none', '', 422],
  ])('%s', async (_, key, status) => {
    expect((await under(key)).status).toBe(status);
  });

  it('is the same over REST and MCP', async () => {
    const key = await rest.makeKey('webhooks:write', 'webhooks:read');
    const first = await under('both ways', {}, { key });
    const agent = await connect('2.x auto', {
      url: new URL(`${rest.base}/mcp`),
      headers: { authorization: `Bearer ${key}` },
    });
    const { structuredContent } = await agent.callTool('create_webhook_subscription', {
      url: `${rest.h.receiver.url}/hook`,
      events: ['contact.created'],
      idempotency_key: 'both ways',
    });
    await agent.close();
    expect(structuredContent).toEqual(first.body);
  });
});
