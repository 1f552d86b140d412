import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCases } from './cases.ts';
import { configs, type Rest, startRest, subscriptions } from './rest.ts';

let rest: Rest;
let open: ReturnType<typeof makeCases>;
beforeAll(async () => {
  rest = await startRest();
  open = makeCases(rest);
});
afterAll(() => rest.close());

const missed = async (id: string) => (await rest.ask('GET', `/v1/webhooks/missed?endpoint_id=${id}`)).body;
const replay = async (path: string, since: string) =>
  (await rest.ask('POST', `${path}/replay`, { since })).body.queued as number;
const published = (type: string, values: number[]) =>
  rest.ask(
    'POST',
    '/v1/events',
    values.map((value) => ({ type, data: { value } })),
  );

describe('what an endpoint missed', () => {
  it('is counted as a replay queues it', async () => {
    const one = await open();
    const path = `${subscriptions}/${one.id}`;
    await rest.ask('PATCH', path, { status: 'paused' });
    await published(one.type, [1, 2, 3]);
    const counted = await missed(one.id);
    expect(counted).toMatchObject({ count: 3, more: false, filtered: false });
    await rest.ask('PATCH', path, { status: 'active' });
    expect(await replay(path, counted.since)).toBe(3);
  });

  it('is only bounded by the number where a filter decides too', async () => {
    const one = await open();
    const path = `${subscriptions}/${one.id}`;
    await rest.ask('PATCH', path, { filter: 'data.value > 2', status: 'paused' });
    await published(one.type, [1, 2, 3]);
    const counted = await missed(one.id);
    expect(counted).toMatchObject({ count: 3, filtered: true });
    await rest.ask('PATCH', path, { status: 'active' });
    expect(await replay(path, counted.since)).toBe(1);
  });

  it('is also what automations would send it now', async () => {
    const { type } = await open();
    const { body } = await rest.ask('POST', configs, { name: 'Called', url: rest.h.receiver.url });
    const path = `${configs}/${body.id}`;
    const automation = { name: 'Calls', trigger_event: type, actions: [{ type: 'webhook', config_id: body.id }] };
    const { body: made } = await rest.ask('POST', '/v1/automations', automation);
    await rest.ask('PATCH', path, { status: 'paused' });
    await published(type, [1, 2]);
    const counted = await missed(body.id);
    expect(counted).toMatchObject({ count: 2, filtered: false });
    await rest.ask('PATCH', `/v1/automations/${made.id}`, { conditions: 'data.value > 1' });
    expect(await missed(body.id)).toMatchObject({ count: 2, filtered: true });
    await rest.ask('PATCH', path, { status: 'active' });
    expect(await replay(path, counted.since)).toBe(1);
  });
});
