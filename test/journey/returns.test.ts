import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downAfterFailures } from '../../src/core/rules/pace.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';

const inFlight = 4;
const published = 50;
const environment = { POSTHORN_CONCURRENCY: '16', POSTHORN_ENDPOINT_CONCURRENCY: String(inFlight) };

let h: Harness;
let held: ServerResponse[] = [];
let id = '';
/** An endpoint with four attempts in flight, whose answers wait, and more leased ahead. */
beforeEach(async () => {
  held = [];
  h = await startHarness({ environment });
  h.receiver.respond((_request, response) => void held.push(response));
  ({ id } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'], secret: 'the old secret' }));
  const events = Array.from({ length: published }, () => ({ type: 'contact.created', data: {} }));
  await h.core.publishMany(h.owner, events);
  await h.posthorn.startDispatcher();
  h.clock.advance(0);
  await until(() => held.length === inFlight && h.core.worker.pulse().ready > 0);
});
afterEach(() => h.close());

const subscription = () => h.core.getSubscription(h.owner, { subscription_id: id });
/** Everything is answered, and whatever was begun because of that. */
async function answerAll(status: number, headers: Record<string, string> = {}): Promise<void> {
  h.receiver.respond((_request, response) => response.writeHead(status, headers).end());
  for (const response of held.splice(0)) response.writeHead(status, headers).end();
  await until(() => h.core.worker.pulse().inFlight === 0);
}

describe('what is leased ahead', () => {
  it.each([
    ['is paused', () => h.core.updateSubscription(h.owner, { subscription_id: id, status: 'paused' })],
    ['is deleted', () => h.core.deleteSubscription(h.owner, { subscription_id: id })],
  ])('is not sent once its endpoint %s', async (_what, change) => {
    await change();
    expect(h.core.worker.pulse().ready).toBe(0);
    await answerAll(204);
    expect(h.receiver.requests).toHaveLength(inFlight);
  });

  it('is not sent within a second of a pause by another process', async () => {
    const other = await startHarness({ environment, databaseUrl: h.databaseUrl, clock: h.clock, receiver: h.receiver });
    await other.core.updateSubscription(other.owner, { subscription_id: id, status: 'paused' });
    await until(() => {
      h.clock.advance(1_000);
      return h.core.worker.pulse().ready === 0;
    });
    await answerAll(204);
    expect(h.receiver.requests).toHaveLength(inFlight);
    await other.close();
  });

  it('is signed with the new secret alone once the old one was rotated out without overlap', async () => {
    const secret = 'the new secret';
    await h.core.rotateSecret(h.owner, { subscription_id: id, secret, overlap: '0s' });
    await answerAll(204);
    const later = (await h.receiver.received(published)).slice(inFlight);
    const isNew = later.map(({ headers, body }) => {
      const signature = createHmac('sha256', secret).update(body).digest('hex');
      return headers['x-trustpager-signature'] === signature;
    });
    expect(new Set(isNew)).toEqual(new Set([true]));
  });

  it('waits for the end of a hold like all the rest', async () => {
    await answerAll(429, { 'retry-after': '60' });
    expect(h.core.worker.pulse().ready).toBe(0);
    expect(h.receiver.requests).toHaveLength(inFlight);
    const { held_until, ...state } = await subscription();
    expect(state).toMatchObject({ failure_count: inFlight, pending_count: published });
    h.receiver.respond((_request, response) => response.writeHead(204).end());
    await until(() => {
      h.clock.advance(1_000);
      return h.receiver.requests.length > inFlight;
    });
    expect(h.clock.now()).toBeGreaterThanOrEqual(Date.parse(held_until ?? ''));
  });

  it('is left to other processes while the receiver is down', async () => {
    await answerAll(500);
    expect((await subscription()).failure_count).toBeGreaterThanOrEqual(downAfterFailures);
    expect(h.core.worker.pulse().ready).toBeLessThanOrEqual(1);
  });
});
