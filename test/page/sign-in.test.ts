import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminKey, type Rest, startRest } from '../contract/rest.ts';
import { pageRequests } from './requests.ts';

let rest: Rest;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());

const { signIn } = pageRequests(() => rest);

describe('a form that comes back with a sign-in', () => {
  it('is none where its path is no form of the page, however it is written', async () => {
    const kept = { 'kept.name': 'Mine' };
    for (const path of ['/auto/automations/%E0%A4%A', '/nowhere', '', '//evil.example', '%']) {
      const { status, headers } = await signIn(adminKey, { ...kept, kept_path: path });
      expect([path, status, headers.get('location')]).toEqual([path, 303, '/']);
    }
    const { status, text } = await signIn(adminKey, { ...kept, kept_path: '/auto/automations' });
    expect([status, text.includes('value="Mine"')]).toEqual([200, true]);
  });
});
