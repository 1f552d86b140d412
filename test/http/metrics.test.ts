import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';

let h: Harness;
afterEach(() => h.close());

async function start(environment: Record<string, string> = {}): Promise<string> {
  h = await startHarness({ environment: { PORT: '0', ...environment } });
  return (await h.posthorn.listen()).url;
}
const lineOf = (text: string, name: string) =>
  text.split('\n').find((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));

describe('GET /metrics', () => {
  it('counts events and attempts by outcome, and says what waits', async () => {
    const url = await start();
    h.receiver.answer(500);
    await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] });
    await h.posthorn.startDispatcher();
    await h.core.publish(h.owner, { type: 'contact.created', data: {} });
    const page = async () => (await fetch(`${url}/metrics`)).text();
    await until(async () => (await page()).includes('outcome="http_5xx"'));
    h.clock.advance(6_000);
    await until(async () => (await page()).includes('outcome="succeeded"'));
    const text = await page();
    expect(lineOf(text, 'posthorn_events_accepted_total')).toBe('posthorn_events_accepted_total 1');
    expect(lineOf(text, 'posthorn_deliveries_created_total')).toBe('posthorn_deliveries_created_total 1');
    expect(lineOf(text, 'posthorn_attempts_total{outcome="http_5xx"}')).toBe(
      'posthorn_attempts_total{outcome="http_5xx"} 1',
    );
    expect(lineOf(text, 'posthorn_workers')).toBe('posthorn_workers 1');
    expect(text).not.toContain('wsp_');
  });

  it('asks for the token when there is one', async () => {
    const url = await start({ POSTHORN_METRICS_TOKEN: 'let-me-in' });
    const status = async (authorization?: string) =>
      (await fetch(`${url}/metrics`, authorization === undefined ? {} : { headers: { authorization } })).status;
    expect([await status(), await status('Bearer wrong'), await status('Bearer let-me-in')]).toEqual([401, 401, 200]);
  });

  it('does not exist beyond loopback without a token', async () => {
    const url = await start({ HOST: '0.0.0.0', POSTHORN_ALLOWED_HOSTS: '0.0.0.0,127.0.0.1' });
    const local = url.replace('0.0.0.0', '127.0.0.1');
    expect((await fetch(`${local}/metrics`)).status).toBe(404);
  });
});
