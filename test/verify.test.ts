import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VerificationError, verify, verifyPlain } from '../src/verify.ts';
import { type Harness, startHarness } from './support/harness.ts';
import type { Received } from './support/receiver.ts';

let h: Harness;
beforeEach(async () => {
  h = await startHarness();
});
afterEach(() => h.close());

async function received(secret: string): Promise<Received> {
  const { id } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'], secret });
  await h.core.testSubscription(h.owner, { subscription_id: id });
  const request = (await h.receiver.received(1)).at(-1);
  if (request === undefined) throw new Error('nothing came');
  return request;
}

describe.each(['chosen by a person', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAA'])(
  'with the secret %s',
  (secret) => {
    it('takes a real delivery and answers its event', async () => {
      const { headers, body } = await received(secret);
      const now = h.clock.now();
      expect(verify({ secret, headers, body, now })).toMatchObject({ type: 'appointment.booked' });
      expect(
        verify({
          secret: ['another secret', secret],
          headers: new Headers(asText(headers)),
          body: Buffer.from(body),
          now,
        }),
      ).toHaveProperty('data');
      expect(verifyPlain(secret, body, String(headers['x-trustpager-signature']))).toBe(true);
    });

    it('refuses every change: secret, body, id, time', async () => {
      const { headers, body } = await received(secret);
      const now = h.clock.now();
      const refused = [
        { secret: 'another secret', headers, body, now },
        { secret, headers, body: `${body} `, now },
        { secret, headers: { ...headers, 'webhook-id': 'other' }, body, now },
        { secret, headers: { ...headers, 'webhook-timestamp': undefined }, body, now },
        { secret, headers: { ...headers, 'webhook-timestamp': 'soon' }, body, now },
        { secret, headers, body, now: now + 301_000 },
        { secret, headers, body, now: now - 301_000 },
      ];
      for (const input of refused) expect(() => verify(input)).toThrow(VerificationError);
      expect(verify({ secret, headers, body, now: now + 300_000 })).toHaveProperty('id');
      expect(verifyPlain(secret, `${body} `, String(headers['x-trustpager-signature']))).toBe(false);
      expect(verifyPlain(secret, body, 'short')).toBe(false);
    });
  },
);

function asText(headers: Received['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
