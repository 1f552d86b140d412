import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminKey, configs, type Rest, startRest } from '../contract/rest.ts';
import { type Answer, pageRequests } from './requests.ts';

let rest: Rest;
let cookie = '';
const { cookieOf, get, post, send } = pageRequests(() => rest);
beforeAll(async () => {
  rest = await startRest();
  cookie = await cookieOf();
  await rest.ask('POST', configs, { name: 'C', url: rest.h.receiver.url });
});
afterAll(() => rest.close());

const hasSections = ({ text }: Answer) => text.includes('<nav aria-label="Pages">');
const current = ({ text }: Answer) => /href="(\S+)" aria-current="page"/.exec(text)?.[1];
/** The notice, as it is read. */
const noticeOf = ({ text }: Answer) =>
  (/<div class="notice bad".*?<\/div>/s.exec(text)?.[0] ?? '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
const faultsOf = ({ text }: Answer) =>
  [...text.matchAll(/<p class="fault" id="([\w-]+)-fault">(.*?)<\/p>/g)].map(([, name, fault]) => `${name}: ${fault}`);

describe('a page that cannot be shown', () => {
  it.each([
    ['/data/webhooks?cursor=nonsense', 422, '/data/webhooks', 'What it says of cursor cannot be used'],
    ['/data/webhooks?since=yesterday', 422, '/data/webhooks', 'What it says of since cannot be used'],
    ['/data/events?cursor=nonsense', 422, '/data/events', 'What it says of cursor cannot be used'],
    ['/auto/automations?cursor=nonsense', 422, '/auto/automations', 'What it says of cursor cannot be used'],
    ['/settings/api?configs_cursor=nonsense', 422, '/settings/api', 'What it says of cursor cannot be used'],
    ['/data/webhooks/att_nothing', 404, '/data/webhooks', 'There is no such attempt'],
    ['/data/events/evt_nothing', 404, '/data/events', 'There is no such event'],
    ['/settings/api/configs/cfg_nothing', 404, '/settings/api', 'There is no such config'],
    ['/auto/automations/aut_nothing', 404, '/auto/automations', 'There is no such automation'],
  ])('%s answers %i, with its section beside it', async (path, status, section, words) => {
    const answer = await get(cookie, path);
    expect([answer.status, hasSections(answer), current(answer)]).toEqual([status, true, section]);
    expect(noticeOf(answer)).toContain(words);
    expect(noticeOf(answer)).not.toContain('lists show the ids');
  });

  it('is one too after a form that meets nothing any more', async () => {
    const answer = await post(cookie, '/settings/api/configs/cfg_nothing/status', { status: 'paused' });
    expect([answer.status, hasSections(answer)]).toEqual([404, true]);
  });

  it('says what a key lacks, and what to do about it', async () => {
    const answer = await get(await cookieOf(await rest.makeKey('events:write')), '/data/events');
    expect([answer.status, hasSections(answer)]).toEqual([403, true]);
    expect(noticeOf(answer)).toBe(
      'The key lacks a scope This needs the scope events:read. Sign in with a key that holds it, or ask whoever made your key for one.',
    );
  });
});

describe('a path where nothing is', () => {
  it('is a page to a browser, with the sections for whoever is signed in', async () => {
    const stranger = await send('GET', '/nope');
    expect([stranger.status, hasSections(stranger)]).toEqual([404, false]);
    expect(stranger.text).toContain('There is no page at this address');
    const known = await get(cookie, '/nope');
    expect([known.status, hasSections(known), current(known)]).toEqual([404, true, undefined]);
    const form = await get(cookie, '/settings/api/keys');
    expect([form.status, form.headers.get('allow'), hasSections(form)]).toEqual([405, 'POST', true]);
  });

  it('stays a problem to programs', async () => {
    for (const accept of ['*/*', 'application/json']) {
      const answer = await send('GET', '/nope', { accept });
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    }
  });
});

describe('a form that is refused', () => {
  it.each([
    ['/auto/automations', { name: 'A', trigger_event: '*' }, ['config_id: Needs at least one']],
    [
      '/auto/automations',
      { name: 'A', trigger_event: '*', config_id: 'cfg_nothing' },
      ['config_id: Is no webhook config of this workspace'],
    ],
    ['/settings/api/subscriptions', { url: 'https://example.com' }, ['events: Needs at least one']],
    [
      '/settings/api/configs',
      { name: '', url: 'https://example.com', events: 'x'.repeat(129) },
      ['name: Must not be empty', 'events: Must have at most 128 characters'],
    ],
    ['/settings/api/keys', { name: 'K' }, ['scopes: Needs at least one']],
  ])('%s %j says each fault at its field, in words', async (path, fields, faults) => {
    const answer = await post(cookie, path, fields);
    expect(answer.status).toBe(422);
    expect(faultsOf(answer)).toEqual(faults);
    expect(noticeOf(answer)).not.toMatch(/`|array|>=|actions|trigger_event/);
  });

  it('says what to do to people, and to programs what they do', async () => {
    const notice = noticeOf(await post(cookie, '/settings/api/keys', { name: 'K' }));
    expect(notice).toBe('The input is not valid Scopes: needs at least one Correct it, then try again.');
    const { body } = await rest.ask('POST', '/v1/keys', { name: 'K', scopes: [] }, { key: adminKey });
    expect(body.detail).toBe('/scopes: needs at least one');
  });
});
