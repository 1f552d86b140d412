import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configs, type Rest, startRest, subscriptions } from '../contract/rest.ts';
import { pageRequests } from './requests.ts';

let rest: Rest;
const { cookieOf, get } = pageRequests(() => rest);
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());

/** The part of an event's page that says to whom it went. */
async function receivers(event: string, key?: string): Promise<string> {
  const { text } = await get(await cookieOf(key), `/data/events/${event}`);
  return /<h2 id="to">.+<\/section>/s.exec(text)?.[0] ?? '';
}

describe('to whom an event went', () => {
  it('is told by name and URL to who may read endpoints, also of old ones, and by id to others', async () => {
    const { url } = rest.h.receiver;
    const described = (await rest.subscribe({ url: `${url}/old`, description: 'The old CRM' })).body.id;
    const named = { name: 'Notify Slack', url: `${url}/slack`, trigger_events: ['contact.created'] };
    const config = (await rest.ask('POST', configs, named)).body.id;
    const gone = (await rest.subscribe({ url: `${url}/gone` })).body.id;
    const event = (await rest.publish()).body.id;
    await rest.ask('DELETE', `${subscriptions}/${gone}`);
    for (let nth = 0; nth < 101; nth++) await rest.subscribe({ events: ['call.missed'] });
    const told = await receivers(event);
    for (const part of ['The old CRM', `${url}/old`, 'Notify Slack', `${url}/slack`, `<code>${gone}</code>`]) {
      expect(told).toContain(part);
    }
    const few = await receivers(event, await rest.makeKey('events:read'));
    expect(few).toContain(`<code>${described}</code>`);
    expect(few).toContain(`<code>${config}</code>`);
    expect(few).not.toContain('Slack');
  });

  it('ends with how many are not listed', async () => {
    for (let nth = 0; nth < 202; nth++) await rest.subscribe({ events: ['task.completed'] });
    const event = (await rest.publish({ type: 'task.completed' })).body.id;
    expect(await receivers(event)).toContain('and 2 endpoints more');
  });
});
