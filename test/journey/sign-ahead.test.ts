import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Attempts, type Ready } from '../../src/core/journey/attempts.ts';
import type { TargetRecord } from '../../src/core/ports/journey-store.ts';
import type { Ports } from '../../src/core/ports/ports.ts';
import { makeVault } from '../../src/core/rules/seal.ts';
import type { Settings } from '../../src/core/settings.ts';
import { SignAhead } from '../../src/core/journey/sign-ahead.ts';
import { verify } from '../../src/verify.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';

describe('signing ahead', () => {
  const signed = { target: {}, seconds: 1, headers: [], body: Buffer.alloc(0) } as unknown as Ready['signed'];
  const ready = (data: string): Ready => ({
    delivery: { id: 1, workspaceId: 1, endpointId: 1, eventId: 1, endpointVersion: 1, attempts: 0, steps: 0 },
    event: { publicId: 'evt', type: 'a.b', data, occurredAt: 0 },
    signed: null,
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('signs four in a turn of the event loop, and what has been sent meanwhile not again', async () => {
    const seen: Ready[] = [];
    const ahead = new SignAhead((one) => {
      seen.push(one);
      one.signed = signed;
    });
    const all = Array.from({ length: 10 }, () => ready('{}'));
    for (const one of all) ahead.add(one);
    ahead.start();
    expect(seen).toHaveLength(0);
    await turn();
    expect(seen).toEqual(all.slice(0, 4));
    for (const one of all.slice(4, 7)) one.signed = signed;
    ahead.start();
    await turn();
    expect(seen.slice(4)).toEqual(all.slice(7));
    const late = ready('{}');
    await turn();
    ahead.add(late);
    ahead.start();
    await turn();
    expect(seen.at(-1)).toBe(late);
  });

  it('leaves data of more than 8,192 characters alone', async () => {
    const seen: Ready[] = [];
    const ahead = new SignAhead((one) => void seen.push(one));
    const whole = ready('1'.repeat(8_192));
    for (const one of [ready('1'.repeat(8_193)), whole]) ahead.add(one);
    ahead.start();
    await turn();
    expect(seen).toEqual([whole]);
  });
});

describe('an event that cannot be signed', () => {
  it('costs its own attempt, not the process', async () => {
    const random = { bytes: (count: number) => Buffer.alloc(count), float: () => 0 };
    const vault = makeVault(Buffer.alloc(32), random);
    const record: TargetRecord = {
      endpointId: 1,
      publicId: 'ep_1',
      workspaceId: 1,
      kind: 'subscription',
      version: 1,
      url: 'http://127.0.0.1',
      includeData: true,
      sealedHeaders: null,
      secrets: [{ sealed: vault.seal('secret-secret', 'ep_1'), validUntil: null }],
    };
    const errors: string[] = [];
    const ports = {
      clock: new FakeClock(),
      random,
      store: { journey: { target: async () => record } },
      sender: { send: () => Promise.reject(new Error('nothing is sent')) },
      log: { error: (_facts: object, message: string) => void errors.push(message) },
    } as unknown as Ports;
    const attempts = new Attempts(ports, { brand: 'Brand', version: '1.0.0' } as Settings, vault);
    const ready: Ready = {
      delivery: { id: 1, workspaceId: 1, endpointId: 1, eventId: 1, endpointVersion: 1, attempts: 0, steps: 0 },
      event: { publicId: 'evt', type: 'a.b', data: '{}', occurredAt: Number.NaN },
      signed: null,
    };
    expect(await attempts.make(ready)).toBeNull();
    attempts.signAhead(ready);
    expect([ready.signed, errors]).toEqual([null, ['an attempt could not be made']]);
  });
});

describe('what was signed ahead', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await startHarness({ environment: { POSTHORN_ENDPOINT_CONCURRENCY: '2' } });
  });
  afterEach(() => h.close());

  it('is signed anew when its second is over', async () => {
    const { secret } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] });
    const events = Array.from({ length: 200 }, (_, index) => ({ type: 'contact.created', data: { index } }));
    for (let from = 0; from < events.length; from += 100)
      await h.core.publishMany(h.owner, events.slice(from, from + 100));
    const at: number[] = [];
    const held: (() => void)[] = [];
    // Two are in flight: once both are here, nothing is on its way, and the next second may begin.
    h.receiver.respond((_request, response, nth) => {
      at.push(h.clock.now());
      const answer = () => void response.writeHead(204).end();
      if (nth <= 100 || nth > 102) answer();
      else held.push(answer);
    });
    await h.posthorn.startDispatcher();
    await until(() => held.length === 2);
    for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve));
    h.clock.advance(1_000);
    for (const answer of held) answer();
    await h.receiver.received(200);
    for (const [index, { headers, body }] of h.receiver.requests.entries()) {
      const now = at[index] ?? 0;
      expect(headers['webhook-timestamp']).toBe(String(now / 1_000));
      verify({ headers, body, secret: secret ?? '', now });
    }
  });
});
