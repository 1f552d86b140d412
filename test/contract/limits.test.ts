import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminKey, type Rest, startRest, subscriptions } from './rest.ts';

const eventBytesMax = 256 * 1024;
const bodyBytesMax = 5 * 1024 * 1024;

let rest: Rest;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());

/** Event data that is so many bytes of JSON. */
const dataOf = (bytes: number) => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) });
const event = (id: string, data: object = {}) => ({ type: 'contact.created', data, id });
const exists = async (id: string) => (await rest.ask('GET', `/v1/events/${id}`)).status === 200;

describe('an event', () => {
  it('may hold 256 KiB of data and not one byte more', async () => {
    expect((await rest.ask('POST', '/v1/events', event('full', dataOf(eventBytesMax)))).status).toBe(202);
    const over = await rest.ask('POST', '/v1/events', event('over', dataOf(eventBytesMax + 1)));
    expect(over).toMatchObject({ status: 413, body: { code: 'payload_too_large', errors: [{ path: '/data' }] } });
    expect([await exists('full'), await exists('over')]).toEqual([true, false]);
  });

  it('is counted in bytes of UTF-8, not in characters', async () => {
    const data = { text: '❄'.repeat(eventBytesMax / 3) };
    expect((await rest.ask('POST', '/v1/events', event('snow', data))).status).toBe(413);
  });

  it('that is too large inside an array is named by its place, and none of the array is stored', async () => {
    const events = [event('small-0'), event('small-1'), event('large-2', dataOf(eventBytesMax + 1)), event('small-3')];
    const refused = await rest.ask('POST', '/v1/events', events);
    expect(refused).toMatchObject({ status: 413, body: { code: 'payload_too_large', errors: [{ path: '/2/data' }] } });
    expect(await Promise.all(events.map(({ id }) => exists(id)))).toEqual([false, false, false, false]);
  });

  it('may be nested 100 levels deep and not one more', async () => {
    const nested = (id: string, levels: number) =>
      `{"type":"contact.created","id":"${id}","data":{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}}`;
    expect((await rest.ask('POST', '/v1/events', nested('deep', 100))).status).toBe(202);
    expect((await rest.ask('GET', '/v1/events/deep')).text).toContain('['.repeat(99));
    for (const levels of [101, 100_000]) {
      const deeper = await rest.ask('POST', '/v1/events', nested('deeper', levels));
      expect(deeper).toMatchObject({ status: 422, body: { code: 'validation_failed', errors: [{ path: '/data' }] } });
    }
    expect(await exists('deeper')).toBe(false);
  });
});

describe('a sample of an event type', () => {
  it('may be nested as deep as the data of an event', async () => {
    const put = (levels: number) =>
      rest.ask(
        'PUT',
        '/v1/event-types/deep.sample',
        `{"description":"Deep.","example":{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}}`,
      );
    expect([await put(100), await put(101), await put(50_000)].map(({ status }) => status)).toEqual([200, 422, 422]);
  });
});

describe('an array of events', () => {
  const many = (count: number) => Array.from({ length: count }, (_, nth) => event(`many-${count}-${nth}`));

  it('may hold 1,000 and not one more', async () => {
    const all = await rest.ask('POST', '/v1/events', many(1_000));
    expect([all.status, all.body.data.length]).toEqual([202, 1_000]);
    const over = await rest.ask('POST', '/v1/events', many(1_001));
    expect(over).toMatchObject({ status: 422, body: { code: 'validation_failed', errors: [{ path: '' }] } });
    expect(await exists('many-1001-0')).toBe(false);
  });

  it('may not be empty', async () => {
    expect((await rest.ask('POST', '/v1/events', [])).status).toBe(422);
  });
});

describe('a body', () => {
  const padded = (id: string, bytes: number) => JSON.stringify(event(id)).padEnd(bytes);

  it('may have 5 MiB and not one byte more', async () => {
    expect((await rest.ask('POST', '/v1/events', padded('wide', bodyBytesMax))).status).toBe(202);
    const over = await rest.ask('POST', '/v1/events', padded('wider', bodyBytesMax + 1));
    expect(over).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
    expect(await exists('wider')).toBe(false);
  });

  it('without a length is counted as it comes', async () => {
    const chunk = new Uint8Array(1024 * 1024).fill(0x20);
    let chunks = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => (chunks++ < 6 ? controller.enqueue(chunk) : controller.close()),
    });
    const headers = {
      authorization: `Bearer ${adminKey}`,
      'content-type': 'application/json',
    };
    const request = { method: 'POST', headers, body, duplex: 'half' } as const;
    // The server answers and hangs up: a client that is still writing may see only the second.
    const status = await fetch(`${rest.base}/v1/events`, request).then(
      (answer) => answer.status,
      () => 'hung up',
    );
    expect([413, 'hung up']).toContain(status);
  });

  it.each([
    ['text/plain', '{}', 415, 'unsupported_media_type'],
    ['application/x-www-form-urlencoded', 'type=contact.created', 415, 'unsupported_media_type'],
    ['application/json', '{"type":', 400, 'invalid_json'],
    ['application/json', '{"type":"contact.created","data":{}} trailing', 400, 'invalid_json'],
  ])('sent as %s: %s is refused with %i', async (type, body, status, code) => {
    const refused = await rest.ask('POST', '/v1/events', body, { headers: { 'content-type': type } });
    expect(refused).toMatchObject({ status, body: { code } });
  });

  it('that is not there needs no content type', async () => {
    const { body } = await rest.subscribe();
    expect((await rest.ask('POST', `${subscriptions}/${body.id}/test`)).status).toBe(200);
  });
});

describe('texts', () => {
  const whsec = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;

  it.each([
    ['a secret of 7 characters', { secret: 'x'.repeat(7) }, 422],
    ['a secret of 8 characters', { secret: 'x'.repeat(8) }, 201],
    ['a secret of 256 characters', { secret: 'x'.repeat(256) }, 201],
    ['a secret of 257 characters', { secret: 'x'.repeat(257) }, 422],
    ['a whsec_ secret of 23 bytes', { secret: whsec(23) }, 422],
    ['a whsec_ secret of 24 bytes', { secret: whsec(24) }, 201],
    ['a whsec_ secret of 64 bytes', { secret: whsec(64) }, 201],
    ['a whsec_ secret of 65 bytes', { secret: whsec(65) }, 422],
    ['a whsec_ secret that is no base64', { secret: `whsec_${'!'.repeat(40)}` }, 422],
    ['100 event types', { events: Array.from({ length: 100 }, () => 'contact.created') }, 201],
    ['101 event types', { events: Array.from({ length: 101 }, () => 'contact.created') }, 422],
    ['a description of 500 characters', { description: 'é'.repeat(500) }, 201],
    ['a description of 501 characters', { description: 'é'.repeat(501) }, 422],
  ])('%s', async (_, more, status) => {
    const answered = await rest.subscribe(more);
    expect([answered.status, answered.body.code]).toEqual([status, status === 422 ? 'validation_failed' : undefined]);
  });

  it('a URL of 2,048 characters is taken and one of 2,049 is not', async () => {
    const urlOf = (length: number) => `${rest.h.receiver.url}/`.padEnd(length, 'x');
    expect((await rest.subscribe({ url: urlOf(2_048) })).status).toBe(201);
    expect((await rest.subscribe({ url: urlOf(2_049) })).status).toBe(422);
  });

  it.each([
    ['of 1 character', 'a', 202],
    ['of 64 characters', 'x'.repeat(64), 202],
    ['of 65 characters', 'x'.repeat(65), 422],
    ['of none', '', 422],
    ['of every kind of character', 'AZaz09_-', 202],
    ['with a space', 'a b', 422],
    ['with a dot', 'a.b', 422],
    ['with a slash', 'a/b', 422],
    ['with a colon', 'a:b', 422],
    ['with a letter beyond ASCII', 'é', 422],
    ['with a line feed at its end', 'abc\n', 422],
    ['that is a number', 7, 422],
    ['that is null', null, 422],
  ])('an event id %s', async (_, id, status) => {
    const { body, ...answered } = await rest.publish({ id });
    const told = status === 202 ? body.id : body.errors[0].path;
    expect([answered.status, told]).toEqual([status, status === 202 ? id : '/id']);
  });
});

describe('a replay', () => {
  it('queues 10,000 and says where to go on', async () => {
    // No endpoint of another test chose it: with them an array might be too wide to be fanned out at once.
    const type = 'opportunity.won';
    const { body } = await rest.subscribe({ events: [type] });
    const at = `${subscriptions}/${body.id}`;
    await rest.ask('PATCH', at, { status: 'paused' });
    // What the other tests published is older.
    rest.h.clock.jump(1_000);
    const since = new Date(rest.h.clock.now()).toISOString();
    const thousand = (nth: number) =>
      Array.from({ length: 1_000 }, (_, one) => ({ ...event(`replayed-${nth}-${one}`), type }));
    for (let nth = 0; nth < 11; nth++) {
      await rest.ask('POST', '/v1/events', thousand(nth));
      rest.h.clock.jump(1_000);
    }
    await rest.ask('PATCH', at, { status: 'active' });
    const first = await rest.ask('POST', `${at}/replay`, { since });
    const next = new Date(Date.parse(since) + 10_000).toISOString();
    expect(first.body).toEqual({ queued: 10_000, next_since: next });
    const second = await rest.ask('POST', `${at}/replay`, { since: next });
    expect(second.body).toEqual({ queued: 1_000, next_since: null });
    expect((await rest.ask('GET', at)).body.pending_count).toBe(11_000);
  });
});
