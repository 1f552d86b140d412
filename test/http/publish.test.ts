import { describe, expect, it } from 'vitest';
import { PosthornError } from '../../src/core/errors.ts';
import { fakeApp, problemOf } from './fake-core.ts';

const answer = (id: string, repeated = false) => ({ published: { id, deliveries: 2 }, repeated });
const one = { type: 'contact.created', data: { id: 1 } };

describe('POST /v1/events', () => {
  it.each([
    [false, 202],
    [true, 200],
  ])('answers one event (repeated: %s) with %i', async (repeated, status) => {
    const { ask } = fakeApp({ publish: answer('evt_1', repeated) });
    const response = await ask('POST', '/v1/events', { body: JSON.stringify(one) });
    expect([response.status, await response.json()]).toEqual([status, { id: 'evt_1', deliveries: 2 }]);
  });

  it.each([
    [[false, false], 202],
    [[true, false], 202],
    [[true, true], 200],
  ])('answers an array (repeated: %s) with %i', async (repeated, status) => {
    const { ask } = fakeApp({ publishMany: repeated.map((again, index) => answer(`evt_${index}`, again)) });
    const response = await ask('POST', '/v1/events', { body: JSON.stringify([one, one]) });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      data: [
        { id: 'evt_0', deliveries: 2 },
        { id: 'evt_1', deliveries: 2 },
      ],
    });
  });

  it('passes the body on as JSON.parse makes it, with keys named __proto__', async () => {
    const { ask, calls } = fakeApp({ publish: answer('evt_1') });
    const body = '{"type":"contact.created","data":{"__proto__":{"admin":true},"constructor":1}}';
    await ask('POST', '/v1/events', { body });
    expect(JSON.stringify(calls[0]?.input)).toBe(body);
  });

  it('leaves what is wrong with an event to core', async () => {
    const { ask } = fakeApp();
    expect(await problemOf(await ask('POST', '/v1/events', { body: '{"type":5}' }))).toMatchObject({
      status: 422,
      paths: ['/type', '/data'],
    });
    expect(await problemOf(await ask('POST', '/v1/events'))).toMatchObject({ status: 422, paths: [''] });
  });

  it('answers 429 with the seconds to wait', async () => {
    const { ask } = fakeApp({ publish: new PosthornError('rate_limited', 'Too many.', { retryAfterSeconds: 12.2 }) });
    const response = await ask('POST', '/v1/events', { body: JSON.stringify(one) });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '13']);
  });

  it('logs for debugging only', async () => {
    const { ask, lines } = fakeApp({ publish: answer('evt_1') });
    await ask('POST', '/v1/events', { body: JSON.stringify(one) });
    expect(lines.map(({ level }) => level)).toEqual(['debug']);
  });
});
