import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePolicy } from '../../src/net/address.ts';
import { makeTargets } from '../../src/net/targets.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { answering, makeCases } from './cases.ts';
import { type Rest, startRest, subscriptions } from './rest.ts';

let rest: Rest;
let open: ReturnType<typeof makeCases>;
beforeAll(async () => {
  const clock = new FakeClock();
  const policy = makePolicy({ allowTargets: ['127.0.0.1/32'], ownHosts: () => [], ownAddresses: () => [] });
  const lookup = async (host: string) => {
    if (host === 'inside.example.com') return [{ address: '10.0.0.7', family: 4 }];
    if (host.startsWith('gone')) throw new Error('no such name');
    return [{ address: '93.184.216.34', family: 4 }];
  };
  rest = await startRest({ clock, ports: { targets: makeTargets({ policy, clock, lookup }) } });
  open = makeCases(rest);
  await rest.h.posthorn.startDispatcher();
});
afterAll(() => rest.close());

const at = () => new Date(rest.h.clock.now()).toISOString();
const show = async (id: string) => (await rest.ask('GET', `${subscriptions}/${id}`)).body;
const patch = (id: string, change: object) => rest.ask('PATCH', `${subscriptions}/${id}`, change);

describe('a subscription', () => {
  it('has these fields and no others', async () => {
    const { status, body } = await rest.subscribe({ events: ['contact.*'], description: 'mine' });
    const { secret, ...shown } = body;
    expect([status, secret]).toEqual([201, expect.stringMatching(/^whsec_/)]);
    expect(shown).toEqual({
      id: expect.stringMatching(/^sub_[0-9a-z]{26}$/),
      url: `${rest.h.receiver.url}/hook`,
      events: ['contact.*'],
      description: 'mine',
      filter: null,
      status: 'active',
      failure_count: 0,
      last_delivered_at: null,
      last_attempt_at: null,
      last_error: null,
      last_response_code: null,
      failing_since: null,
      pending_count: 0,
      next_attempt_at: null,
      held_until: null,
      disabled_reason: null,
      disabled_at: null,
      diagnosis: expect.stringMatching(/^[A-Z].*\.$/),
      created_at: at(),
      updated_at: at(),
    });
    expect(await show(body.id)).toEqual(shown);
  });

  it.each([['*'], ['contact.*'], ['contact.created'], ['opportunity.updated'], ['form.submitted']])(
    'may choose %s',
    async (pattern) => {
      const { body } = await rest.subscribe({ events: [pattern] });
      expect(body.events).toEqual([pattern]);
      await rest.ask('DELETE', `${subscriptions}/${body.id}`);
    },
  );

  it.each(['contact', 'contact.', '.created', 'contact.**', '**', 'contact.create', '*.created', ''])(
    'may not choose "%s", and is told what is near',
    async (pattern) => {
      const refused = await rest.subscribe({ events: ['task.created', pattern] });
      const code = pattern === '' ? 'validation_failed' : 'unknown_event_type';
      expect(refused).toMatchObject({ status: 422, body: { code, errors: [{ path: '/events/1' }] } });
      expect(refused.body.detail.includes('Did you mean') || !pattern.startsWith('contact.c')).toBe(true);
    },
  );

  it('is changed field by field, and a change of nothing changes nothing', async () => {
    const { body } = await rest.subscribe({ description: 'before' });
    const { secret: _, ...shown } = body;
    expect((await patch(body.id, {})).body).toMatchObject(shown);
    expect((await patch(body.id, { description: null })).body).toEqual({ ...shown, description: null });
    expect((await patch(body.id, { events: ['*'] })).body).toMatchObject({ events: ['*'], url: shown.url });
    const moved = await patch(body.id, { url: `${rest.h.receiver.url}/moved` });
    expect(moved.body).toMatchObject({ url: `${rest.h.receiver.url}/moved`, events: ['*'] });
    expect((await patch(body.id, { status: 'paused' })).body.status).toBe('paused');
    expect((await show(body.id)).status).toBe('paused');
  });

  it.each([
    { status: 'disabled' },
    { status: 'pending_approval' },
    { secret: 'another-one' },
    { id: 'sub_1' },
    { subscription_id: null },
    { url: '' },
  ])('is not changed by %j', async (change) => {
    const { body } = await rest.subscribe();
    const before = await show(body.id);
    expect((await patch(body.id, change)).status).toBe(422);
    expect(await show(body.id)).toEqual(before);
  });

  it('is listed by its status', async () => {
    const [paused, gone] = [await open(), await open(answering(410))];
    await paused.patch({ status: 'paused' });
    await gone.publish();
    await gone.log(1);
    const listed = async (status: string): Promise<string[]> =>
      (await rest.ask('GET', `${subscriptions}?limit=200&status=${status}`)).body.data.map(
        ({ id }: { id: string }) => id,
      );
    const lists = await Promise.all(['active', 'paused', 'disabled', 'pending_approval'].map(listed));
    const holding = (id: string) => lists.map((ids) => ids.includes(id));
    expect(holding(paused.id)).toEqual([false, true, false, false]);
    expect(holding(gone.id)).toEqual([false, false, true, false]);
  });
});

describe('a URL', () => {
  it('that is not safe is refused with one constant sentence, which tells nothing of it', async () => {
    const urls = [
      'http://169.254.169.254/latest/meta-data',
      'https://10.0.0.1/',
      'https://[::1]/',
      'https://localhost/',
      'http://example.com/',
      'https://ann:pw@example.com/',
      'https://example.com:22/',
      'https://inside.example.com/',
      'https://2130706433/',
      'ftp://example.com/',
      'javascript:alert(1)',
      'nonsense',
    ];
    const answers = await Promise.all(urls.map((url) => rest.subscribe({ url })));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 422, body: { code: 'target_not_allowed', errors: [{ path: '/url' }] } });
    expect(answers[0]?.text).not.toMatch(/169\.254|10\.0|example|localhost/);
    const { body } = await rest.subscribe();
    const refused = await Promise.all(urls.map((url) => patch(body.id, { url })));
    expect(new Set(refused.map(({ text }) => text))).toEqual(new Set([answers[0]?.text]));
    expect((await show(body.id)).url).toBe(body.url);
  });

  it('whose name does not resolve now is accepted with a warning', async () => {
    const { status, body } = await rest.subscribe({ url: 'https://gone.example.com/' });
    expect([status, body.warning]).toEqual([201, expect.stringMatching(/^The host name does not resolve now/)]);
    const moved = await patch(body.id, { url: 'https://gone-too.example.com/' });
    expect(moved.body.warning).toEqual(body.warning);
    expect((await patch(body.id, { url: 'https://there.example.com/' })).body).not.toHaveProperty('warning');
  });
});

describe('pausing', () => {
  it('sends nothing and makes no deliveries; those already pending wait, and replay brings what was missed', async () => {
    const one = await open(answering(500));
    const before = await one.publish();
    await one.log(1);
    one.respond(answering(204));
    await one.patch({ status: 'paused' });
    const { body } = await rest.publish({ type: one.type });
    expect(body.deliveries).toBe(0);
    await rest.pass(60_000);
    expect(await one.show()).toMatchObject({ status: 'paused', pending_count: 1, next_attempt_at: null });
    expect(one.sent()).toEqual([before]);
    await one.patch({ status: 'active' });
    await one.log(2);
    expect(one.sent()).toEqual([before, before]);
    const replay = { since: '2026-11-23T00:00:00Z', status: 'missed' };
    const replayed = await rest.ask('POST', `${subscriptions}/${one.id}/replay`, replay);
    expect(replayed.body).toEqual({ queued: 1, next_since: null });
    await one.log(3);
    expect(one.sent()).toEqual([before, before, body.id]);
  });

  it('refuses retry and replay, which would send nothing', async () => {
    const one = await open();
    const id = await one.publish();
    await one.patch({ status: 'paused' });
    const { body } = await rest.ask('GET', `/v1/events/${id}`);
    const retry = await rest.ask('POST', `/v1/deliveries/${body.deliveries[0].id}/retry`);
    const replay = await rest.ask('POST', `${subscriptions}/${one.id}/replay`, { since: '2026-11-23T00:00:00Z' });
    expect([retry, replay].map((answer) => [answer.status, answer.body.code])).toEqual([
      [409, 'not_active'],
      [409, 'not_active'],
    ]);
  });
});

describe('deleting', () => {
  it('cancels what is owed, and the id is then unknown', async () => {
    const one = await open(answering(500));
    const id = await one.publish();
    await one.log(1);
    expect((await rest.ask('DELETE', `${subscriptions}/${one.id}`)).status).toBe(204);
    const { body } = await rest.ask('GET', `/v1/events/${id}`);
    expect(body.deliveries).toMatchObject([{ status: 'canceled', next_attempt_at: null }]);
    expect((await rest.ask('GET', `${subscriptions}/${one.id}`)).status).toBe(404);
    expect((await rest.ask('DELETE', `${subscriptions}/${one.id}`)).status).toBe(404);
    expect((await rest.publish({ type: one.type })).body.deliveries).toBe(0);
  });
});

describe('replay', () => {
  const replay = (id: string, body: object) => rest.ask('POST', `${subscriptions}/${id}/replay`, body);

  it('takes what matches now, of the time that was asked for', async () => {
    const one = await open();
    await one.patch({ status: 'paused' });
    const first = await one.publish();
    await rest.pass(60_000);
    const between = at();
    await rest.pass(60_000);
    const second = await one.publish();
    await one.patch({ status: 'active' });
    expect((await replay(one.id, { since: between })).body).toEqual({ queued: 1, next_since: null });
    await one.log(1);
    expect((await replay(one.id, { since: '2026-01-01T00:00:00Z', until: between })).body.queued).toBe(1);
    await one.log(2);
    expect(one.sent()).toEqual([second, first]);
    expect((await replay(one.id, { since: '2026-01-01T00:00:00Z' })).body.queued).toBe(0);
    expect((await replay(one.id, { since: '2026-01-01T00:00:00Z', status: 'all' })).body.queued).toBe(2);
    await one.log(4);
    expect((await one.log(4)).map(({ attempt }) => attempt)).toEqual([2, 2, 1, 1]);
  });

  it.each([
    {},
    { since: 'yesterday' },
    { since: '2026-01-01' },
    { since: 0 },
    { since: '2026-01-01T00:00:00Z', status: 'some' },
  ])('refuses %j', async (body) => {
    const { body: subscription } = await rest.subscribe();
    expect(await replay(subscription.id, body)).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
  });
});
