import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answering, makeCases } from './cases.ts';
import { type Rest, startRest, subscriptions } from './rest.ts';

let rest: Rest;
let open: ReturnType<typeof makeCases>;
beforeAll(async () => {
  rest = await startRest();
  open = makeCases(rest);
});
afterAll(() => rest.close());

const act = (id: string, action: string, body?: object, key?: string) =>
  rest.ask('POST', `${subscriptions}/${id}/${action}`, body, key === undefined ? {} : { key });
const requestsTo = (path: string) => rest.h.receiver.requests.filter((request) => request.path === path);

describe('the test action', () => {
  it('sends the sample of the first chosen type now, marked, and answers the attempt', async () => {
    const one = await open();
    const { status, body } = await act(one.id, 'test');
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ is_test: true, status: 'succeeded', event_type: one.type }),
    ]);
    const [request] = requestsTo(one.path);
    expect(request?.headers).toMatchObject({ 'x-trustpager-test': 'true', 'webhook-id': body.event_id });
    expect(await one.log(1)).toEqual([body]);
  });

  it.each([
    [['task.created', 'contact.created'], /^task\.created$/],
    [['opportunity.*', 'contact.created'], /^opportunity\./],
  ])('goes by the order in which %j was chosen', async (events, expected) => {
    const { body } = await rest.ask('POST', '/v1/webhooks/subscribe', { url: rest.h.receiver.url, events });
    const tested = await act(body.id, 'test');
    expect(tested.body.event_type).toMatch(expected);
  });

  it('sends the sample of the type that was asked for, chosen or not', async () => {
    const one = await open();
    const { body } = await act(one.id, 'test', { event_type: 'form.submitted' });
    expect(body.event_type).toBe('form.submitted');
    expect(requestsTo(one.path)[0]?.headers['x-trustpager-event']).toBe('form.submitted');
    const refused = await act(one.id, 'test', { event_type: 'form.submit' });
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'unknown_event_type', errors: [{ path: '/event_type' }] },
    });
  });

  it.each([
    [500, 'http_5xx'],
    [404, 'http_4xx'],
    [302, 'http_3xx'],
    [410, 'http_4xx'],
  ])('answers 200 when the receiver answers %i, and changes no counter', async (code, error) => {
    const one = await open(answering(code, { 'retry-after': '600' }));
    const before = await one.show();
    expect(await act(one.id, 'test')).toMatchObject({
      status: 200,
      body: { status: 'failed', error, response_code: code },
    });
    expect(await one.show()).toEqual(before);
  });

  it('works while the subscription is paused and while it is disabled', async () => {
    const one = await open();
    await one.patch({ status: 'paused' });
    expect((await act(one.id, 'test')).body.status).toBe('succeeded');
    expect((await one.show()).status).toBe('paused');
    const gone = await open(answering(410));
    await rest.h.posthorn.startDispatcher();
    await gone.publish();
    await gone.log(1);
    gone.respond(answering(204));
    expect((await act(gone.id, 'test')).body.status).toBe('succeeded');
    expect((await gone.show()).status).toBe('disabled');
  });
});

describe('rotating the secret', () => {
  const plain = (secret: string, body = '') => createHmac('sha256', secret).update(body).digest('hex');

  it('lets both sign for 24 hours', async () => {
    const one = await open();
    const old = 'the-old-secret-of-mine';
    await act(one.id, 'rotate-secret', { secret: old, overlap: '0s' });
    const { body } = await act(one.id, 'rotate-secret');
    expect(body.secret).toMatch(/^whsec_/);
    const shown = (await rest.ask('GET', `${subscriptions}/${one.id}`)).text;
    expect([shown.includes(body.secret), shown.includes(old)]).toEqual([false, false]);
    await rest.pass(24 * 3_600_000 - 1);
    await act(one.id, 'test');
    await rest.pass(1);
    await act(one.id, 'test');
    const [during, after] = requestsTo(one.path);
    expect(String(during?.headers['webhook-signature']).split(' ')).toHaveLength(2);
    expect(during?.headers['x-trustpager-signature']).toBe(plain(old, during?.body));
    expect(during?.headers['x-trustpager-signature-next']).toBe(plain(body.secret, during?.body));
    expect(String(after?.headers['webhook-signature']).split(' ')).toHaveLength(1);
    expect(after?.headers['x-trustpager-signature']).toBe(plain(body.secret, after?.body));
    expect(after?.headers).not.toHaveProperty('x-trustpager-signature-next');
  });

  it('shows no secret that was given', async () => {
    const one = await open();
    const { status, body } = await act(one.id, 'rotate-secret', { secret: 'given-by-me' });
    expect([status, 'secret' in body]).toEqual([200, false]);
  });

  it.each([
    ['0s', 200],
    ['7d', 200],
    ['168h', 200],
    ['604800001ms', 422],
    ['8d', 422],
    ['-1s', 422],
    ['a day', 422],
    ['', 422],
  ])('with an overlap of "%s" answers %i', async (overlap, status) => {
    const { body } = await rest.subscribe();
    expect((await act(body.id, 'rotate-secret', { overlap })).status).toBe(status);
  });
});

describe('approval of new hosts', () => {
  it('is needed before anything is sent, never comes from the key that subscribed or one that it made, and starts over', async () => {
    const careful = await startRest({
      environment: { POSTHORN_NEW_HOSTS: 'approve', POSTHORN_ALLOW_TARGETS: '127.0.0.0/8' },
    });
    const { ask } = careful;
    const at = (id: string) => `${subscriptions}/${id}`;
    const maker = await careful.makeKey('webhooks:read', 'webhooks:write', 'webhooks:approve', 'keys:admin');
    const child = (await ask('POST', '/v1/keys', { name: 'child', scopes: ['webhooks:approve'] }, { key: maker })).body
      .key;
    const { body } = await careful.subscribe({ events: ['*'] }, { key: maker });
    expect(body).toMatchObject({ status: 'pending_approval', diagnosis: expect.stringContaining('webhooks:approve') });
    expect((await careful.publish()).body.deliveries).toBe(0);
    const codeOf = async (method: string, path: string, change?: object, key = maker) => {
      const answered = await ask(method, path, change, { key });
      return [answered.status, answered.body.code];
    };
    expect(await codeOf('POST', `${at(body.id)}/test`)).toEqual([409, 'pending_approval']);
    expect(await codeOf('PATCH', at(body.id), { status: 'active' })).toEqual([409, 'pending_approval']);
    expect(await codeOf('PATCH', at(body.id), { status: 'paused' })).toEqual([409, 'pending_approval']);
    expect(await codeOf('POST', `${at(body.id)}/approve`)).toEqual([403, 'approval_denied']);
    expect(await codeOf('POST', `${at(body.id)}/approve`, undefined, child)).toEqual([403, 'approval_denied']);
    const other = await careful.makeKey('webhooks:approve');
    const approved = await ask('POST', `${at(body.id)}/approve`, undefined, { key: other });
    expect([approved.status, approved.body.status]).toEqual([200, 'active']);
    expect((await careful.publish()).body.deliveries).toBe(1);
    expect((await careful.subscribe()).body.status).toBe('active');
    const moved = await ask('PATCH', at(body.id), { url: careful.h.receiver.url.replace('127.0.0.1', '127.0.0.2') });
    expect(moved.body.status).toBe('pending_approval');
    expect(careful.h.receiver.requests).toEqual([]);
    await careful.close();
  });
});
