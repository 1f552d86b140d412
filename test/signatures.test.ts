import crypto from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CreatedSubscription } from '../src/core/types.ts';
import { FakeClock } from './support/fake-clock.ts';
import { type Harness, startHarness } from './support/harness.ts';
import { until } from './support/until.ts';

/** What a receiver has of a request: the bytes as they came over the wire. */
interface Received {
  headers: IncomingHttpHeaders;
  rawBody: Buffer;
}

/**
 * The verification of the platform's documentation, as its customers have it in their code: createHmac, hex,
 * timingSafeEqual. It throws where the lengths differ.
 */
function verifySignature(rawBody: Buffer, signature: string, secret: string): boolean {
  const expected = crypto.createHmac('sha256', secret).update(rawBody).digest('hex');
  return crypto.timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
}

const givenSecret = 'your-signing-secret';
const eventType = 'contact.created';
/** Shorter than the silence after which a worker is taken for dead, so that the clock can be moved in one step. */
const scheduleSeconds = 4;

let harness: Harness;
let receiver: Awaited<ReturnType<typeof startVerifyingReceiver>>;

beforeEach(async () => {
  receiver = await startVerifyingReceiver();
  harness = await startHarness({
    // The package standardwebhooks looks at the machine's clock.
    clock: new FakeClock(Date.now()),
    environment: { POSTHORN_RETRY_SCHEDULE: `${scheduleSeconds}s,${scheduleSeconds}s` },
  });
  await harness.core.worker.start();
});
afterEach(async () => {
  await harness.close();
  await receiver.close();
});

/** Answers 204 to what `verify` accepts and 401 to the rest, as the documentation asks; first the `failures`, as 500. */
async function startVerifyingReceiver() {
  const requests: Received[] = [];
  const statuses: number[] = [];
  const state = { verify: (_request: Received): boolean => true, failures: 0 };
  const judge = (received: Received): number => {
    try {
      return state.verify(received) ? 204 : 401;
    } catch {
      return 500;
    }
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = { headers: request.headers, rawBody: Buffer.concat(chunks) };
      requests.push(received);
      const status = requests.length <= state.failures ? 500 : judge(received);
      statuses.push(status);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/trustpager-events`,
    requests,
    statuses,
    state,
    async received(count: number): Promise<Received[]> {
      await until(() => requests.length >= count);
      return requests;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function subscribe(secret?: string): Promise<CreatedSubscription> {
  return harness.core.createSubscription(harness.owner, {
    url: receiver.url,
    events: [eventType],
    ...(secret === undefined ? {} : { secret }),
  });
}

function publish(data: object = { id: 'con_1' }) {
  return harness.core.publish(harness.owner, { type: eventType, data });
}

function header({ headers }: Received, name: string): string {
  const value = headers[name.toLowerCase()];
  if (typeof value !== 'string') throw new Error(`no header ${name}`);
  return value;
}

const signatureOf = (request: Received) => header(request, 'X-TrustPager-Signature');
const standardHeaders = (request: Received) => ({
  'webhook-id': header(request, 'webhook-id'),
  'webhook-timestamp': header(request, 'webhook-timestamp'),
  'webhook-signature': header(request, 'webhook-signature'),
});
/** Throws where the signature does not fit. */
const verifyStandard = (request: Received, webhook: Webhook) =>
  webhook.verify(request.rawBody, standardHeaders(request));

async function firstOf(requests: Promise<Received[]>): Promise<Received> {
  const [first] = await requests;
  if (first === undefined) throw new Error('nothing was received');
  return first;
}

describe('a receiver that was written from the documentation', () => {
  it('accepts a delivery under the secret that was given, and is done with it', async () => {
    receiver.state.verify = (request) => verifySignature(request.rawBody, signatureOf(request), givenSecret);
    const { id } = await subscribe(givenSecret);
    await publish();
    await receiver.received(1);
    await until(
      async () =>
        (await harness.core.getSubscription(harness.owner, { subscription_id: id })).last_delivered_at !== null,
    );
    expect(receiver.statuses).toEqual([204]);
  });

  it('accepts a delivery under the secret that Posthorn made', async () => {
    const { secret = '' } = await subscribe();
    await publish();
    const request = await firstOf(receiver.received(1));
    expect(secret).toMatch(/^whsec_/);
    expect(verifySignature(request.rawBody, signatureOf(request), secret)).toBe(true);
  });

  it('answers 401 under another secret, which is a failed attempt', async () => {
    receiver.state.verify = (request) =>
      verifySignature(request.rawBody, signatureOf(request), 'another-signing-secret');
    const { id } = await subscribe(givenSecret);
    await publish();
    await receiver.received(1);
    await until(
      async () => (await harness.core.getSubscription(harness.owner, { subscription_id: id })).failure_count === 1,
    );
    const { data } = await harness.core.listSubscriptionLogs(harness.owner, { subscription_id: id });
    expect(data).toMatchObject([{ status: 'failed', response_code: 401, error: 'http_4xx' }]);
    expect(receiver.statuses).toEqual([401]);
  });

  it('notices one changed byte', async () => {
    await subscribe(givenSecret);
    await publish();
    const request = await firstOf(receiver.received(1));
    expect(verifySignature(request.rawBody, signatureOf(request), givenSecret)).toBe(true);
    for (let index = 0; index < request.rawBody.length; index++) {
      const changed = Buffer.from(request.rawBody);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(verifySignature(changed, signatureOf(request), givenSecret)).toBe(false);
    }
  });

  it('gets a signature of the length that timingSafeEqual needs: 64 small hex digits', async () => {
    await subscribe(givenSecret);
    await publish();
    expect(signatureOf(await firstOf(receiver.received(1)))).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('the package standardwebhooks', () => {
  it('verifies a delivery under the secret that Posthorn made, given as it is', async () => {
    const { secret = '' } = await subscribe();
    await publish({ id: 'con_1', first_name: 'Ada' });
    const request = await firstOf(receiver.received(1));
    expect(verifyStandard(request, new Webhook(secret))).toMatchObject({
      id: header(request, 'webhook-id'),
      type: eventType,
      data: { id: 'con_1', first_name: 'Ada' },
    });
  });

  it('verifies a delivery under a secret that was given, by its characters', async () => {
    await subscribe(givenSecret);
    await publish();
    const request = await firstOf(receiver.received(1));
    expect(verifyStandard(request, new Webhook(givenSecret, { format: 'raw' }))).toMatchObject({ type: eventType });
  });

  it('verifies a delivery under a whsec_ secret that was given, by its decoded bytes', async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    await subscribe(secret);
    await publish();
    const request = await firstOf(receiver.received(1));
    expect(verifyStandard(request, new Webhook(secret))).toMatchObject({ type: eventType });
    expect(verifySignature(request.rawBody, signatureOf(request), secret)).toBe(true);
  });

  it('refuses another secret, another id, another time, another body', async () => {
    const { secret = '' } = await subscribe();
    await publish();
    const request = await firstOf(receiver.received(1));
    const webhook = new Webhook(secret);
    const headers = standardHeaders(request);
    const later = String(Number(headers['webhook-timestamp']) + 1);
    const refused = 'No matching signature found';
    expect(() => verifyStandard(request, new Webhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'))).toThrow(refused);
    expect(() => webhook.verify(request.rawBody, { ...headers, 'webhook-id': 'evt_2' })).toThrow(refused);
    expect(() => webhook.verify(request.rawBody, { ...headers, 'webhook-timestamp': later })).toThrow(refused);
    expect(() => webhook.verify(Buffer.concat([request.rawBody, Buffer.from(' ')]), headers)).toThrow(refused);
    expect(() => webhook.verify(request.rawBody, headers)).not.toThrow();
  });
});

describe('both signatures', () => {
  it('cover the bytes as they are sent, whatever letters are in the data', async () => {
    const { secret = '' } = await subscribe();
    const data = JSON.parse('{"é":"❄ 🎉 \\u2028 \\ud800 \\u0000 </script>","__proto__":{"x":1},"n":1e21}') as object;
    await publish(data);
    const request = await firstOf(receiver.received(1));
    expect(verifySignature(request.rawBody, signatureOf(request), secret)).toBe(true);
    const body = verifyStandard(request, new Webhook(secret)) as { data: unknown };
    expect(JSON.stringify(body.data)).toBe(JSON.stringify(data));
  });

  it('cover a secret of letters beyond ASCII', async () => {
    const secret = 'pässwört ❄ 密码';
    await subscribe(secret);
    await publish();
    const request = await firstOf(receiver.received(1));
    expect(verifySignature(request.rawBody, signatureOf(request), secret)).toBe(true);
    expect(() => verifyStandard(request, new Webhook(Buffer.from(secret), { format: 'raw' }))).not.toThrow();
  });

  it('are right on every attempt: the id and the body stay, the time is each attempt’s own', async () => {
    receiver.state.failures = 2;
    const { secret = '', id } = await subscribe();
    await publish();
    for (const count of [1, 2]) {
      await receiver.received(count);
      await until(
        async () =>
          (await harness.core.getSubscription(harness.owner, { subscription_id: id })).failure_count === count,
      );
      harness.clock.advance(scheduleSeconds * 1_000);
    }
    const requests = await receiver.received(3);
    const webhook = new Webhook(secret);
    for (const request of requests) {
      expect(verifySignature(request.rawBody, signatureOf(request), secret)).toBe(true);
      expect(() => verifyStandard(request, webhook)).not.toThrow();
    }
    const times = requests.map((request) => Number(header(request, 'webhook-timestamp')));
    const [first = 0] = times;
    expect(times).toEqual([first, first + scheduleSeconds, first + 2 * scheduleSeconds]);
    for (const same of [
      (one: Received) => header(one, 'webhook-id'),
      (one: Received) => one.rawBody.toString(),
      signatureOf,
    ]) {
      expect(new Set(requests.map(same)).size).toBe(1);
    }
    expect(new Set(requests.map((request) => header(request, 'webhook-signature'))).size).toBe(3);
  });

  it('are on a test delivery too, which says that it is one', async () => {
    const { secret = '', id } = await subscribe();
    const attempt = await harness.core.testSubscription(harness.owner, { subscription_id: id });
    const request = await firstOf(receiver.received(1));
    expect(attempt).toMatchObject({ status: 'succeeded', is_test: true });
    expect(header(request, 'X-TrustPager-Test')).toBe('true');
    expect(verifySignature(request.rawBody, signatureOf(request), secret)).toBe(true);
    expect(() => verifyStandard(request, new Webhook(secret))).not.toThrow();
  });
});

describe('while a secret rotates', () => {
  const newSecret = 'a-newer-signing-secret';
  const raw = (secret: string) => new Webhook(secret, { format: 'raw' });

  it('receivers that hold the old secret and receivers that hold the new one both verify', async () => {
    const { id } = await subscribe(givenSecret);
    await harness.core.rotateSecret(harness.owner, { subscription_id: id, secret: newSecret, overlap: '1h' });
    await publish();
    const request = await firstOf(receiver.received(1));
    expect(header(request, 'webhook-signature').split(' ')).toHaveLength(2);
    expect(() => verifyStandard(request, raw(givenSecret))).not.toThrow();
    expect(() => verifyStandard(request, raw(newSecret))).not.toThrow();
    expect(verifySignature(request.rawBody, signatureOf(request), givenSecret)).toBe(true);
    expect(verifySignature(request.rawBody, header(request, 'X-TrustPager-Signature-Next'), newSecret)).toBe(true);
  });

  it('the old secret signs until the overlap has passed, and no longer', async () => {
    const { id } = await subscribe(givenSecret);
    await harness.core.rotateSecret(harness.owner, { subscription_id: id, secret: newSecret, overlap: '4s' });
    harness.clock.advance(4_000 - 1);
    await publish();
    const during = await firstOf(receiver.received(1));
    harness.clock.advance(1);
    await publish();
    const [, after = during] = await receiver.received(2);
    expect(verifySignature(during.rawBody, signatureOf(during), givenSecret)).toBe(true);
    expect(header(after, 'webhook-signature').split(' ')).toHaveLength(1);
    expect(after.headers).not.toHaveProperty('x-trustpager-signature-next');
    expect(verifySignature(after.rawBody, signatureOf(after), newSecret)).toBe(true);
    expect(() => verifyStandard(after, raw(newSecret))).not.toThrow();
    expect(() => verifyStandard(after, raw(givenSecret))).toThrow('No matching signature found');
  });
});

describe('with another brand', () => {
  it('the header carries its name and the signature is the same', async () => {
    const other = await startHarness({ environment: { POSTHORN_BRAND: 'Acme' }, clock: new FakeClock(Date.now()) });
    try {
      await other.core.worker.start();
      await other.core.createSubscription(other.owner, { url: receiver.url, events: ['*'], secret: givenSecret });
      await other.core.publish(other.owner, { type: eventType, data: {} });
      const request = await firstOf(receiver.received(1));
      expect(verifySignature(request.rawBody, header(request, 'X-Acme-Signature'), givenSecret)).toBe(true);
      expect(header(request, 'X-Acme-Event')).toBe(eventType);
      expect(Object.keys(request.headers).filter((name) => name.includes('trustpager'))).toEqual([]);
    } finally {
      await other.close();
    }
  });
});
