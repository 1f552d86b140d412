import { describe, expect, it } from 'vitest';
import { fakeApp, problemOf } from './fake-core.ts';

const subscriptionPath = '/v1/webhooks/subscriptions/sub_1';
const logsPath = `${subscriptionPath}/logs`;

async function inputOf(method: string, path: string, request: Parameters<ReturnType<typeof fakeApp>['ask']>[2] = {}) {
  const { ask, calls } = fakeApp();
  const response = await ask(method, path, request);
  expect(await response.text()).not.toContain('problem');
  return calls[0]?.input;
}

async function refused(method: string, path: string, request: Parameters<ReturnType<typeof fakeApp>['ask']>[2] = {}) {
  const { ask, calls } = fakeApp();
  const problem = await problemOf(await ask(method, path, request));
  expect(calls).toEqual([]);
  return problem;
}

describe('query strings', () => {
  it('become the numbers, booleans and strings of the input', async () => {
    const input = await inputOf('GET', `${logsPath}?limit=7&status=failed&event_type=a%2Eb&include=untrusted_response`);
    expect(input).toEqual({
      subscription_id: 'sub_1',
      limit: 7,
      status: 'failed',
      event_type: 'a.b',
      include_untrusted_response: true,
    });
  });

  it('may be left out', async () => {
    expect(await inputOf('GET', logsPath)).toEqual({ subscription_id: 'sub_1', limit: 50 });
    expect(await inputOf('GET', `${logsPath}?`)).toEqual({ subscription_id: 'sub_1', limit: 50 });
  });

  it.each([
    ['limit=0', '/limit'],
    ['limit=201', '/limit'],
    ['limit=', '/limit'],
    ['limit=0x10', '/limit'],
    ['limit=1e1', '/limit'],
    ['limit=5.0', '/limit'],
    ['limit=5&limit=5', '/limit'],
    ['status=active', '/status'],
    ['status=', '/status'],
    ['since=yesterday', '/since'],
    ['include=everything', '/include'],
    ['include=untrusted_response&include=untrusted_response', '/include'],
    ['include_untrusted_response=true', '/include_untrusted_response'],
    ['subscription_id=sub_2', '/subscription_id'],
    ['__proto__=1', '/__proto__'],
    ['a/b~c=1', '/a~1b~0c'],
  ])('refuse %s', async (query, path) => {
    expect(await refused('GET', `${logsPath}?${query}`)).toEqual({
      status: 422,
      code: 'validation_failed',
      paths: [path],
    });
  });

  it('tell all that is wrong at once', async () => {
    const { paths } = await refused('GET', `${logsPath}?x=1&y=2&limit=z`);
    expect(paths).toEqual(['/x', '/y', '/limit']);
  });
});

describe('bodies', () => {
  it('make up the input together with the path', async () => {
    const input = await inputOf('PATCH', subscriptionPath, { body: '{"status":"paused","events":["*"]}' });
    expect(input).toEqual({ subscription_id: 'sub_1', status: 'paused', events: ['*'] });
  });

  it('may be missing where nothing is required, without a content type', async () => {
    expect(await inputOf('POST', `${subscriptionPath}/test`)).toEqual({ subscription_id: 'sub_1' });
    expect(await inputOf('POST', `${subscriptionPath}/test`, { body: '', headers: { 'content-type': '' } })).toEqual({
      subscription_id: 'sub_1',
    });
  });

  it('may not name what the path or a header names', async () => {
    expect(await refused('PATCH', subscriptionPath, { body: '{"subscription_id":"sub_1","status":"active"}' })).toEqual(
      {
        status: 422,
        code: 'validation_failed',
        paths: ['/subscription_id'],
      },
    );
    const body = '{"url":"https://example.com","events":["*"],"idempotency_key":"k"}';
    expect(await refused('POST', '/v1/webhooks/subscribe', { body })).toMatchObject({ paths: ['/idempotency_key'] });
  });

  it.each([
    ['{"url":"https://example.com","events":["*"],"colour":"red"}', ['/colour']],
    ['{"url":"https://example.com","events":["*"],"__proto__":{"a":1}}', ['/__proto__']],
    ['{"url":5,"events":["*",""]}', ['/url', '/events/1']],
    ['{}', ['/url', '/events']],
    ['[]', ['']],
    ['"text"', ['']],
    ['null', ['']],
  ])('are refused with pointers: %s', async (body, paths) => {
    expect(await refused('POST', '/v1/webhooks/subscribe', { body })).toEqual({
      status: 422,
      code: 'validation_failed',
      paths,
    });
  });

  it('of a DELETE may hold nothing', async () => {
    expect(await refused('DELETE', subscriptionPath, { body: '{"force":true}' })).toMatchObject({ paths: ['/force'] });
  });

  it('tell of at most 100 wrong fields', async () => {
    const body = JSON.stringify(Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`f${index}`, 1])));
    const { paths } = await refused('PATCH', subscriptionPath, { body });
    expect(paths).toHaveLength(100);
  });
});

describe('the Idempotency-Key header', () => {
  const body = '{"url":"https://example.com","events":["*"]}';

  it('is the idempotency key of the input', async () => {
    const input = await inputOf('POST', '/v1/webhooks/subscribe', { body, headers: { 'Idempotency-Key': 'k-1' } });
    expect(input).toMatchObject({ idempotency_key: 'k-1' });
  });

  it('has its limits', async () => {
    const headers = { 'idempotency-key': 'k'.repeat(256) };
    expect(await refused('POST', '/v1/webhooks/subscribe', { body, headers })).toMatchObject({
      status: 422,
      paths: ['/idempotency_key'],
    });
  });
});

describe('content types', () => {
  const body = '{"status":"paused"}';

  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/merge-patch+json',
    'application/json; profile=x',
  ])('%s is JSON', async (contentType) => {
    const { ask } = fakeApp();
    expect((await ask('PATCH', subscriptionPath, { body, headers: { 'content-type': contentType } })).status).toBe(200);
  });

  it.each([
    '',
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json; charset=iso-8859-1',
    'application/json, text/plain',
  ])('%s is not', async (contentType) => {
    const problem = await refused('PATCH', subscriptionPath, { body, headers: { 'content-type': contentType } });
    expect(problem).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  it('a compressed body is refused', async () => {
    const headers = { 'content-encoding': 'gzip' };
    expect(await refused('PATCH', subscriptionPath, { body, headers })).toMatchObject({ status: 415 });
  });
});

describe('JSON', () => {
  it.each([
    ['cut short', '{"status":'],
    ['two values', '{} {}'],
    ['a comment', '{/**/}'],
    ['spaces only', '   '],
    ['invalid UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['UTF-16', new Uint8Array([0x7b, 0x00, 0x7d, 0x00])],
  ])('%s is not', async (_, body) => {
    expect(await refused('PATCH', subscriptionPath, { body })).toEqual({
      status: 400,
      code: 'invalid_json',
      paths: [],
    });
  });

  it('is never quoted in an answer', async () => {
    const { ask } = fakeApp();
    const response = await ask('PATCH', subscriptionPath, { body: '{"secret":"hush-hush' });
    expect(await response.text()).not.toContain('hush');
  });
});

describe('body size', () => {
  const limit = 5 * 1024 * 1024;
  const padded = (size: number) => `{"status":"paused"${' '.repeat(size - 19)}}`;

  it('of 5 MiB is read, one byte more is not', async () => {
    const { ask } = fakeApp();
    expect((await ask('PATCH', subscriptionPath, { body: padded(limit) })).status).toBe(200);
    expect(await refused('PATCH', subscriptionPath, { body: padded(limit + 1) })).toMatchObject({
      status: 413,
      code: 'payload_too_large',
    });
  });

  it('that a header announces is refused unread', async () => {
    const headers = { 'content-length': String(limit + 1) };
    expect(await refused('PATCH', subscriptionPath, { body: '{}', headers })).toMatchObject({ status: 413 });
  });

  it('is counted in a stream without an end', async () => {
    let pulled = 0;
    const body = new ReadableStream({
      pull(controller) {
        pulled += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(32));
      },
    });
    expect(await refused('PATCH', subscriptionPath, { body })).toMatchObject({ status: 413 });
    expect(pulled).toBeLessThan(limit + 4 * 65_536);
  });
});
