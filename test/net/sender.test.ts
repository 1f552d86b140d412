import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makePolicy } from '../../src/net/address.ts';
import { makeSender, type SenderOptions } from '../../src/net/sender.ts';
import { FakeClock, listen, onRequest, type Receiver, realClock, respond } from './receiver.ts';

const policy = makePolicy({ allowTargets: ['127.0.0.0/8'], ownHosts: () => [], ownAddresses: () => [] });
let closers: (() => Promise<void>)[] = [];
beforeEach(() => {
  closers = [];
});
afterEach(async () => {
  for (const close of closers) await close();
});

function sender(options: Partial<SenderOptions> = {}) {
  const made = makeSender({ policy, clock: realClock, ...options });
  closers.push(() => made.close());
  return made;
}
async function receive(...behave: Parameters<typeof listen>): Promise<Receiver> {
  const receiver = await listen(...behave);
  closers.push(() => receiver.close());
  return receiver;
}
const post = (receiver: Receiver, path = '/hook', deadlineMs = 5_000) => ({
  url: `http://127.0.0.1:${receiver.port}${path}`,
  headers: ['content-type', 'application/json', 'webhook-id', 'evt_1'],
  body: '{"snow":"❄"}',
  deadlineMs,
});

test('the request is one POST with the headers and the bytes given', async () => {
  const receiver = await receive(respond(204));
  await sender().send(post(receiver, '/hook?a=1#part'));
  const [head, body] = receiver.received.split('\r\n\r\n');
  expect(head?.split('\r\n')).toEqual([
    'POST /hook?a=1 HTTP/1.1',
    `host: 127.0.0.1:${receiver.port}`,
    'connection: keep-alive',
    'content-type: application/json',
    'webhook-id: evt_1',
    'content-length: 14',
  ]);
  expect(Buffer.from(body ?? '', 'latin1').toString()).toBe('{"snow":"❄"}');
});

test('a result: status, excerpt, duration, Retry-After', async () => {
  const receiver = await receive(respond(429, 'slow down', 'Retry-After: 120\r\nretry-after: 5\r\n'));
  const result = await sender().send(post(receiver));
  expect(result).toEqual({
    responseCode: 429,
    error: null,
    durationMs: expect.any(Number),
    retryAfter: '120',
    excerpt: Buffer.from('slow down'),
  });
  expect(Number.isInteger(result.durationMs)).toBe(true);
});

test('no body: no excerpt. A long Retry-After is cut', async () => {
  const receiver = await receive(respond(503, '', `retry-after: ${'9'.repeat(500)}\r\n`));
  expect(await sender().send(post(receiver))).toMatchObject({ excerpt: null, retryAfter: '9'.repeat(100) });
});

test('an excerpt is put together from chunks, and owns its bytes', async () => {
  const receiver = await receive(
    onRequest((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n');
      socket.write(`4000\r\n${'f'.repeat(0x4000)}\r\n0\r\n\r\n`);
    }),
  );
  const { excerpt } = await sender().send(post(receiver));
  expect(excerpt).toHaveLength(16_384);
  expect(excerpt?.subarray(0, 8).toString()).toBe('abcdefff');
  expect(excerpt?.buffer.byteLength).toBeLessThan(64 * 1_024);
});

test.each([301, 302, 303, 307, 308])('a redirect by %i is not followed', async (status) => {
  const elsewhere = await receive(respond(200));
  const receiver = await receive(respond(status, '', `location: http://127.0.0.1:${elsewhere.port}/\r\n`));
  const one = sender();
  expect(await one.send(post(receiver))).toMatchObject({ responseCode: status, error: null });
  expect(elsewhere.connections).toBe(0);
  expect(await one.send(post(elsewhere))).toMatchObject({ responseCode: 200 });
  expect(elsewhere.connections).toBe(1);
});

describe('connections', () => {
  test('one is kept for attempts that follow one another', async () => {
    const receiver = await receive(respond(200, 'ok'));
    const one = sender({ connectionsPerOrigin: 1 });
    for (let attempt = 0; attempt < 20; attempt += 1) await one.send(post(receiver));
    expect(receiver.connections).toBe(1);
  });

  test('as many as allowed for attempts at once, which all arrive', async () => {
    const receiver = await receive(respond(200, 'ok'));
    const one = sender({ connectionsPerOrigin: 4 });
    const results = await Promise.all(Array.from({ length: 40 }, () => one.send(post(receiver))));
    expect(results.map(({ responseCode }) => responseCode)).toEqual(Array.from({ length: 40 }, () => 200));
    expect(receiver.connections).toBe(4);
  });

  test('what breaks on a kept connection is a failed attempt, and never sent again unasked', async () => {
    // The server closes the idle connection just when the second request is on its way.
    const receiver = await receive(
      onRequest((socket, _request, nth) => {
        if (nth === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
        else socket.resetAndDestroy();
      }),
    );
    const one = sender({ connectionsPerOrigin: 1 });
    expect(await one.send(post(receiver, '/first'))).toMatchObject({ responseCode: 200, error: null });
    expect(await one.send(post(receiver, '/second'))).toMatchObject({ responseCode: null, error: 'connection_reset' });
    expect(await one.send(post(receiver, '/third'))).toMatchObject({ responseCode: 200, error: null });
    expect(receiver.received.match(/POST \S+/g)).toEqual(['POST /first', 'POST /second', 'POST /third']);
    expect(receiver.connections).toBe(2);
  });

  test('a port where nobody listens', async () => {
    const receiver = await listen(respond(200));
    await receiver.close();
    expect(await sender().send(post(receiver))).toMatchObject({ responseCode: null, error: 'connect_refused' });
  });

  test('a name that does not resolve', async () => {
    const failing = sender({ lookup: () => Promise.reject(new Error('ENOTFOUND')) });
    const request = { url: 'https://hooks.example.com/', headers: [], body: '', deadlineMs: 5_000 };
    expect(await failing.send(request)).toMatchObject({ responseCode: null, error: 'dns_failed' });
  });
});

describe('the deadline', () => {
  test('ends a silent attempt to the millisecond, by the clock it was given', async () => {
    const clock = new FakeClock();
    const receiver = await receive(() => {});
    let result: unknown = null;
    const sending = sender({ clock }).send(post(receiver, '/hook', 15_100));
    void sending.then((each) => {
      result = each;
    });
    await expect.poll(() => receiver.received).not.toBe('');
    clock.advance(15_099);
    await new Promise((resolve) => setImmediate(resolve));
    expect(result).toBeNull();
    clock.advance(1);
    expect(await sending).toMatchObject({ responseCode: null, error: 'timeout' });
  });

  test('comes in its time although the clock is set back by an hour on the way', async () => {
    const clock = new FakeClock();
    const receiver = await receive(() => {});
    let result: unknown = null;
    const sending = sender({ clock }).send(post(receiver, '/hook', 15_000));
    void sending.then((each) => {
      result = each;
    });
    await expect.poll(() => receiver.received).not.toBe('');
    clock.setBack(3_600_000);
    clock.advance(14_999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(result).toBeNull();
    clock.advance(1);
    expect(await sending).toMatchObject({ responseCode: null, error: 'timeout' });
  });

  test('nothing ticks while nothing is in flight', async () => {
    const clock = new FakeClock();
    const receiver = await receive(respond(200));
    const one = sender({ clock });
    await one.send(post(receiver));
    clock.advance(1_000);
    expect(clock.waiting).toBe(0);
  });

  test('an attempt that waits for a connection is ended too, and is not sent afterwards', async () => {
    const clock = new FakeClock();
    const receiver = await receive(
      onRequest((socket, request) => {
        if (request.includes('/silent')) return;
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      }),
    );
    const one = sender({ clock, connectionsPerOrigin: 1 });
    const silent = one.send(post(receiver, '/silent', 3_000));
    const waiting = one.send(post(receiver, '/waiting', 1_000));
    const patient = one.send(post(receiver, '/patient', 9_000));
    await expect.poll(() => receiver.received).toContain('/silent');
    clock.advance(1_000);
    expect(await waiting).toMatchObject({ responseCode: null, error: 'timeout' });
    clock.advance(2_000);
    expect(await silent).toMatchObject({ responseCode: null, error: 'timeout' });
    expect(await patient).toMatchObject({ responseCode: 200, error: null });
    expect(receiver.received.match(/POST \S+/g)).toEqual(['POST /silent', 'POST /patient']);
    // The one that went unsent did not cost the connection.
    expect(receiver.connections).toBe(2);
  });
});

test('close interrupts what is in flight, and what comes after', async () => {
  const receiver = await receive(() => {});
  const clock = new FakeClock();
  const one = sender({ clock });
  const running = one.send(post(receiver));
  await expect.poll(() => receiver.received).not.toBe('');
  await one.close();
  expect(await running).toMatchObject({ responseCode: null, error: 'interrupted' });
  expect(await one.send(post(receiver))).toMatchObject({ responseCode: null, error: 'interrupted' });
  expect(receiver.connections).toBe(1);
});

test('a request that cannot be written down is a result too', async () => {
  const receiver = await receive(respond(200));
  const broken = { ...post(receiver), headers: ['x-a', 'line\r\nbreak'] };
  expect(await sender().send(broken)).toMatchObject({ responseCode: null, error: 'connection_reset' });
  expect(await sender().send({ ...post(receiver), url: 'nonsense' })).toMatchObject({ error: 'target_not_allowed' });
  expect(receiver.connections).toBe(0);
});
