import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorTable } from '../../src/core/errors.ts';
import { type Rest, startRest, subscriptions } from '../contract/rest.ts';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { type Case, corpus } from '../net/hostile-urls.ts';
import { listen, type Receiver, respond } from '../net/receiver.ts';
import { adminKey } from '../contract/rest.ts';

/** The corpus again, through both faces of a whole Posthorn, and what a resolver that changes its mind gets from it. */

let rest: Rest;
let agent: AnyClient;
let sentinel: Receiver;
let answers: (host: string) => string[] = () => [];
beforeAll(async () => {
  sentinel = await listen(respond(200));
  rest = await startRest({
    environment: { POSTHORN_PUBLIC_URL: 'https://self.example.net', POSTHORN_ALLOW_TARGETS: '' },
    ports: {
      lookup: async (host) => answers(host).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    },
  });
  const headers = { authorization: `Bearer ${adminKey}` };
  agent = await connect('2.x auto', { url: new URL(`${rest.base}/mcp`), headers });
});
afterAll(async () => {
  await agent.close();
  await rest.close();
  await sentinel.close();
});

const refusal = 'This URL may not be called: use a public https:// address on port 80, 443 or above 1023.';
const events = ['contact.created'];

async function verdicts({ url, resolves }: Case): Promise<string[]> {
  answers = () => resolves ?? [];
  const over = await rest.ask('POST', '/v1/webhooks/subscribe', { url, events });
  const told = await agent.callTool('create_webhook_subscription', { url, events });
  if (over.status === 201 && told.isError !== true) return ['allow'];
  // One sentence for all: neither the URL nor what it resolves to is in it.
  const errors = [{ path: '/url', message: errorTable.target_not_allowed.advice }];
  expect(over.body).toMatchObject({ status: 422, code: 'target_not_allowed', detail: refusal, errors });
  expect(errors[0]?.message).toContain('POSTHORN_ALLOW_TARGETS');
  expect(told.content[0]?.text).toMatch(new RegExp(`^target_not_allowed: ${refusal.replaceAll('.', '\\.')}\n`));
  return ['block'];
}

describe('creating', () => {
  it('is refused for every hostile URL of the corpus, and allowed for the others, over REST and MCP alike', async () => {
    const found: string[] = [];
    for (const one of corpus) {
      const [verdict] = await verdicts(one);
      if (verdict !== one.verdict) found.push(`${one.url}: ${verdict} (${one.why})`);
    }
    expect(found).toEqual([]);
    expect(corpus.length).toBeGreaterThan(150);
    expect(sentinel.connections).toBe(0);
  });

  it('is refused for changing a URL too', async () => {
    answers = () => ['93.184.215.14'];
    const { body } = await rest.ask('POST', '/v1/webhooks/subscribe', { url: 'https://hooks.example.com/', events });
    for (const url of ['https://127.0.0.1/', 'https://self.example.net/', 'https://printer.local/']) {
      const over = await rest.ask('PATCH', `${subscriptions}/${body.id}`, { url });
      expect(over).toMatchObject({ status: 422, body: { code: 'target_not_allowed' } });
      const told = await agent.callTool('update_webhook_subscription', { subscription_id: body.id, url });
      expect(told.content[0]?.text).toMatch(/^target_not_allowed: /);
    }
  });

  it("is refused for the server's own host, by every name that it has", async () => {
    const { port } = new URL(rest.base);
    answers = () => ['93.184.215.14'];
    for (const url of ['https://self.example.net/', 'https://SELF.example.net.:8443/x', `https://127.0.0.1:${port}/`]) {
      expect(await verdicts({ url, verdict: 'block', why: '', stage: 'self' })).toEqual(['block']);
    }
  });
});

describe('a name that resolves to something else once it was accepted', () => {
  it('is not followed: the attempt is logged as target_not_allowed, and the sentinel hears nothing', async () => {
    answers = () => ['93.184.215.14'];
    const url = `https://rebind.example.com:${sentinel.port}/`;
    const { body } = await rest.ask('POST', '/v1/webhooks/subscribe', { url, events });
    expect(body.status).toBe('active');
    const bad = [['127.0.0.1'], ['93.184.215.14', '127.0.0.1'], ['::ffff:127.0.0.1'], ['::1', '127.0.0.1']];
    for (const set of bad) {
      answers = () => set;
      const tested = await rest.ask('POST', `${subscriptions}/${body.id}/test`);
      expect(tested.body).toMatchObject({ status: 'failed', error: 'target_not_allowed', response_code: null });
    }
    await rest.h.posthorn.startDispatcher();
    await rest.publish();
    const [row] = await rest.logOf(body.id, bad.length + 1);
    expect(row).toMatchObject({ error: 'target_not_allowed', is_test: false });
    expect(sentinel.connections).toBe(0);
  });
});
