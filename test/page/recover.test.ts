import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rest, startRest, subscriptions } from '../contract/rest.ts';
import { pageRequests } from './requests.ts';

let rest: Rest;
let cookie = '';
const { cookieOf, get } = pageRequests(() => rest);
beforeAll(async () => {
  rest = await startRest();
  cookie = await cookieOf();
});
afterAll(() => rest.close());

/** What stands above and on the button that replays to an endpoint that missed three events. */
async function askedAbout(filter: string | null): Promise<string[]> {
  // Later than what another test published.
  await rest.pass(1_000);
  const { body } = await rest.subscribe({ filter });
  await rest.ask('PATCH', `${subscriptions}/${body.id}`, { status: 'paused' });
  for (let nth = 0; nth < 3; nth++) await rest.publish();
  const { text } = await get(cookie, `/settings/api/subscriptions/${body.id}/recover`);
  return [/<strong>(.+?)<\/strong>/, /type="submit">(Enable.+?)</].map((shown) => shown.exec(text)?.[1] ?? '');
}

describe('the number before a replay', () => {
  it('is the number', async () => {
    expect(await askedAbout(null)).toEqual(['3 events', 'Enable and replay 3 events']);
  });

  it('is told to be a bound where a filter decides too', async () => {
    expect(await askedAbout('data.name == "Grace"')).toEqual(['Up to 3 events', 'Enable and replay up to 3 events']);
  });

  it('of nothing is on no button', async () => {
    await rest.pass(1_000);
    const { body } = await rest.subscribe();
    const { text } = await get(cookie, `/settings/api/subscriptions/${body.id}/recover`);
    const main = /<main.+<\/main>/s.exec(text)?.[0] ?? '';
    expect(main).toContain('Nothing was missed');
    expect(main).not.toContain('<button');
    await rest.ask('PATCH', `${subscriptions}/${body.id}`, { status: 'paused' });
    const paused = await get(cookie, `/settings/api/subscriptions/${body.id}/recover`);
    expect(paused.text).toContain('type="submit">Enable<');
  });
});
