import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorTable, PosthornError } from '../../src/core/errors.ts';
import { fakeApp } from './fake-core.ts';

const path = '/v1/webhooks/subscriptions/sub_1';
const codes = (Object.keys(errorTable) as ErrorCode[]).filter((code) => code !== 'internal');

describe('problems', () => {
  it.each(codes)('%s is what the table says', async (code) => {
    const { ask } = fakeApp({ getSubscription: new PosthornError(code, 'What was wrong.') });
    const response = await ask('GET', path);
    expect(response.status).toBe(errorTable[code].status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toEqual({
      type: `urn:posthorn:problem:${code}`,
      title: errorTable[code].title,
      status: errorTable[code].status,
      code,
      detail: 'What was wrong.',
      errors: [],
    });
  });

  it('hold the wrong fields', async () => {
    const errors = [{ path: '/17/type', message: 'is not an event type' }];
    const { ask } = fakeApp({ getSubscription: new PosthornError('unknown_event_type', 'No.', { errors }) });
    expect(await (await ask('GET', path)).json()).toMatchObject({ errors });
  });

  it('of a store that does not answer say when to come again', async () => {
    const { ask, lines } = fakeApp({ getSubscription: new PosthornError('store_unavailable', 'It is locked.') });
    const response = await ask('GET', path);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  it.each([
    ['an error', new Error('select * from keys where hash = 0xdeadbeef')],
    ['an internal one', new PosthornError('internal', 'row 5 of secrets is broken 0xdeadbeef')],
  ])('of %s that nobody foresaw tell nothing but the request id, which the log holds', async (_, error) => {
    const { ask, lines } = fakeApp({ getSubscription: error });
    const response = await ask('GET', path);
    const text = await response.text();
    const requestId = response.headers.get('x-request-id');
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: 'internal', detail: expect.stringContaining(String(requestId)) });
    expect(text).not.toContain('0xdeadbeef');
    expect(lines[0]).toMatchObject({ level: 'error', facts: { request_id: requestId, err: error } });
  });

  it('name payloads:read when that is what is missing', async () => {
    const missing = new PosthornError('insufficient_scope', 'This needs the scope payloads:read.');
    const { ask } = fakeApp({ listSubscriptionLogs: missing });
    const response = await ask('GET', `${path}/logs?include=untrusted_response`);
    expect(response.headers.get('www-authenticate')).toContain('scope="payloads:read"');
  });
});

describe('log lines', () => {
  it('hold method, route, status and duration, and nothing that was sent', async () => {
    const { ask, lines } = fakeApp();
    await ask('PATCH', `${path}?canary1=1`, { body: '{"canary2":1}', headers: { 'x-canary': 'canary3' } });
    await ask('GET', '/canary4', { key: 'canary5' });
    expect(lines.map(({ level, facts, message }) => ({ level, message, ...facts }))).toEqual([
      {
        level: 'info',
        message: 'request',
        request_id: expect.any(String),
        method: 'PATCH',
        route: '/v1/webhooks/subscriptions/{id}',
        status: 422,
        duration_ms: expect.any(Number),
      },
      expect.objectContaining({ method: 'GET', route: null, status: 404 }),
    ]);
    expect(JSON.stringify(lines)).not.toContain('canary');
  });
});

describe('the Authorization header', () => {
  it.each(['Bearer', 'bearer', 'BEARER', 'Bearer  '])('may spell its scheme %s', async (scheme) => {
    const { ask } = fakeApp();
    const response = await ask('GET', path, { key: null, headers: { authorization: `${scheme} key:webhooks:read` } });
    expect(response.status).toBe(200);
  });

  it.each(['key:webhooks:read', 'Basic a2V5', 'Bearer', 'Bearerkey:webhooks:read', 'Bearer a, Bearer b'])(
    'may not be %s',
    async (authorization) => {
      const { ask } = fakeApp();
      expect((await ask('GET', path, { key: null, headers: { authorization } })).status).toBe(401);
    },
  );
});
