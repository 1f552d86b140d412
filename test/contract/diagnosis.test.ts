import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentScopes, attemptErrors } from '../../src/core/vocabulary.ts';
import { makePolicy } from '../../src/net/address.ts';
import { makeSender } from '../../src/net/sender.ts';
import { makeTargets } from '../../src/net/targets.ts';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { resultOf } from '../mcp/conversation.ts';
import { listen, onRequest, respond, type Receiver } from '../net/receiver.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { answering, type Case, makeCases } from './cases.ts';
import { type Rest, startRest } from './rest.ts';

const attemptTimeoutMs = 1_000;

let rest: Rest;
let open: ReturnType<typeof makeCases>;
let agent: AnyClient;
const receivers: Receiver[] = [];

beforeAll(async () => {
  const clock = new FakeClock();
  const policy = makePolicy({ allowTargets: ['127.0.0.1/32'], ownHosts: () => [], ownAddresses: () => [] });
  const isHere = [{ address: '93.184.216.34', family: 4 }];
  const isInside = [{ address: '10.0.0.7', family: 4 }];
  const unknown = () => Promise.reject(new Error('no such name'));
  rest = await startRest({
    clock,
    environment: {
      POSTHORN_RETRY_SCHEDULE: '1h',
      POSTHORN_ATTEMPT_TIMEOUT: `${attemptTimeoutMs}ms`,
      POSTHORN_DISABLE_AFTER_FAILURES: '2',
      POSTHORN_DISABLE_AFTER: '0s',
    },
    ports: {
      // One name is public when it is given and private when it is called, the other does not exist.
      targets: makeTargets({
        policy,
        clock,
        lookup: (host) => (host.startsWith('flips') ? Promise.resolve(isHere) : unknown()),
      }),
      sender: makeSender({
        policy,
        clock,
        lookup: (host) => (host.startsWith('flips') ? Promise.resolve(isInside) : unknown()),
      }),
    },
  });
  open = makeCases(rest);
  await rest.h.posthorn.startDispatcher();
  agent = await agentOf(rest);
});
afterAll(async () => {
  await agent.close();
  for (const receiver of receivers) await receiver.close();
  await rest.close();
});

async function agentOf({ base, makeKey }: Rest): Promise<AnyClient> {
  const headers = { authorization: `Bearer ${await makeKey(...agentScopes)}` };
  return connect('2.x auto', { url: new URL(`${base}/mcp`), headers });
}

/** The one call: what an agent is told about the subscription. */
async function diagnosisOf(id: string, asking = agent): Promise<string> {
  const { diagnosis } = resultOf(await asking.callTool('get_webhook_subscription', { subscription_id: id }));
  // Sentences of ours in one line, without holes.
  expect(diagnosis).toMatch(/^[A-Z][^\n]*\.$/);
  expect(diagnosis).not.toMatch(/null|undefined|NaN| {2}|\.\.|example\.com|127\.0\.0\.1|10\.0\.0/);
  return diagnosis;
}

/** A server that does to every connection what it is told, and its URL. */
async function misbehaving(behave: Parameters<typeof listen>[0], options: { tls?: boolean } = {}): Promise<string> {
  const receiver = await listen(behave, options);
  receivers.push(receiver);
  return `${options.tls === true ? 'https' : 'http'}://127.0.0.1:${receiver.port}/`;
}

async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
}

async function failed(one: Case): Promise<string> {
  await one.publish();
  await one.log(1);
  return one.id;
}
async function failedAt(url: string): Promise<string> {
  const one = await open();
  await one.patch({ url });
  return failed(one);
}
const raw = (text: string) => misbehaving(onRequest((socket) => socket.write(text)));

interface Cause {
  cause: string;
  make: () => Promise<string>;
  /** What the sentence says is wrong, and what it says to do. */
  says: RegExp;
  next: RegExp;
  /** The error of the attempt, where the cause is one. */
  error?: (typeof attemptErrors)[number];
}

const causes: Cause[] = [
  {
    cause: 'nothing was ever published',
    async make() {
      await rest.pass(1);
      return (await open()).id;
    },
    says: /Nothing has been published since it was made/,
    next: /publish an event, or send a test/,
  },
  {
    cause: 'what is published is not what it chose',
    async make() {
      const one = await open();
      await rest.publish({ type: 'task.created' });
      return one.id;
    },
    says: /none that it wants: it chose case\.n\d+, and the latest was task\.created/,
    next: /Change its events, or publish one of these/,
  },
  {
    cause: 'it works, and what is published since is not what it chose',
    async make() {
      const one = await open();
      await failed(one);
      await rest.pass(1);
      await rest.publish({ type: 'task.created' });
      return one.id;
    },
    says: /^It works: the last delivery succeeded at \S+Z\. .*none that it wants/,
    next: /Change its events/,
  },
  {
    cause: 'it was paused when the event was published',
    async make() {
      const one = await open();
      await one.patch({ status: 'paused' });
      await one.publish();
      await one.patch({ status: 'active' });
      return one.id;
    },
    says: /The latest event, case\.n\d+, was published while it was not active/,
    next: /replay what was missed/,
  },
  {
    cause: 'it is paused',
    async make() {
      const one = await open(answering(500));
      await failed(one);
      await one.patch({ status: 'paused' });
      return one.id;
    },
    says: /^It is paused, so nothing is sent.* 1 delivery is waiting\.$/,
    next: /set status to active/,
  },
  {
    cause: 'it failed until it was disabled',
    async make() {
      const one = await open(answering(502));
      await one.publish();
      await one.publish();
      await until(async () => (await one.show()).status === 'disabled');
      return one.id;
    },
    says: /^It is disabled after 2 failed attempts in a row; the receiver failed .*\(HTTP 502\)/,
    next: /repair the receiver, set status to active, then replay/,
  },
  {
    cause: 'it was made active again after failures',
    async make() {
      const one = await open(answering(410));
      await failed(one);
      await rest.ask('DELETE', `/v1/events/${one.sent()[0]}/data`);
      return (await one.patch({ status: 'active' })).id;
    },
    says: /^It was made active again and has not been tried since/,
    next: /send a test, or replay/,
  },
  {
    cause: 'the receiver said that it is gone',
    make: async () => failed(await open(answering(410))),
    says: /^It is disabled because the receiver answered 410 Gone/,
    next: /delete it, or correct the URL, set status to active, then replay/,
    error: 'http_4xx',
  },
  {
    cause: 'it waits for a retry',
    make: async () => failed(await open(answering(500))),
    says: /^The last attempt failed; the receiver failed while handling the request \(HTTP 500\)\./,
    next: /receiver's own log\. The next attempt is due at 2026-11-2\dT\d\d:\d\d:\d\d\.\d{3}Z\./,
    error: 'http_5xx',
  },
  {
    cause: 'the receiver asked to wait',
    make: async () => failed(await open(answering(429, { 'retry-after': '600' }))),
    says: /^The receiver asked to wait with Retry-After, so it is held back until \S+Z/,
    next: /retry a delivery or send a test to free it/,
  },
  {
    cause: 'the receiver refuses',
    make: async () => failed(await open(answering(401))),
    says: /the receiver refused the request \(HTTP 401\)/,
    next: /Check the path, what the receiver expects, and how it verifies signatures/,
    error: 'http_4xx',
  },
  {
    cause: 'the receiver refused for good',
    make: async () => failed(await open(answering(413))),
    says: /the receiver refused the request \(HTTP 413\)/,
    next: /Nothing more is due: replay what failed/,
  },
  {
    cause: 'the receiver redirects',
    make: async () => failed(await open(answering(301, { location: '/elsewhere' }))),
    says: /answered with a redirect, which is never followed \(HTTP 301\)/,
    next: /Update the URL to the address that it redirects to/,
    error: 'http_3xx',
  },
  {
    cause: 'the receiver does not answer in time',
    async make() {
      const one = await open(() => {});
      await one.publish();
      await until(() => one.sent().length === 1);
      await rest.pass(attemptTimeoutMs);
      await one.log(1);
      return one.id;
    },
    says: /the receiver did not answer in time/,
    next: /Answer 2xx first and work afterwards/,
    error: 'timeout',
  },
  {
    cause: 'the name does not resolve',
    make: () => failedAt('https://gone.example.com/'),
    says: /the host name could not be resolved/,
    next: /Check the spelling of the host and its DNS records/,
    error: 'dns_failed',
  },
  {
    cause: 'nobody vouches for the certificate',
    make: async () => failedAt(await misbehaving(respond(200), { tls: true })),
    says: /the TLS handshake failed: the certificate/,
    next: /Renew or complete the certificate chain/,
    error: 'tls_failed',
  },
  {
    cause: 'nothing listens',
    make: async () => failedAt(await closedPort()),
    says: /nothing accepted the connection/,
    next: /Check that the receiver runs and that its port is open/,
    error: 'connect_refused',
  },
  {
    cause: 'the connection breaks',
    make: async () => failedAt(await misbehaving(onRequest((socket) => socket.resetAndDestroy()))),
    says: /the connection broke before an answer came/,
    next: /Check the receiver, and the proxy or firewall in front of it/,
    error: 'connection_reset',
  },
  {
    cause: 'the name leads to an address that may not be called',
    make: () => failedAt('https://flips.example.com/'),
    says: /the URL leads to an address that may not be called/,
    next: /Use a public address, or ask the operator to allow this one/,
    error: 'target_not_allowed',
  },
  {
    cause: 'the answer is too large',
    make: async () => failed(await open(answering(200, {}, 'x'.repeat(70 * 1_024)))),
    says: /the answer was larger than 64 KiB \(HTTP 200\)/,
    next: /Answer with a short body, or with none/,
    error: 'response_too_large',
  },
  {
    cause: 'what answers does not speak HTTP',
    make: async () => failedAt(await raw('SSH-2.0-OpenSSH_9.6\r\n')),
    says: /what came back is not HTTP/,
    next: /Check that the scheme and the port of the URL lead to an HTTP server/,
    error: 'invalid_response',
  },
  {
    cause: 'what answers switches protocols',
    make: async () =>
      failedAt(await raw('HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n')),
    says: /the receiver switched protocols instead of answering/,
    next: /an answer is a 2xx status/,
    error: 'http_1xx',
  },
];

describe('why did nothing arrive? one call tells the cause and what to do, when', () => {
  it.each(causes)('$cause', async ({ make, says, next, error }) => {
    const id = await make();
    const diagnosis = await diagnosisOf(id);
    expect(diagnosis).toMatch(says);
    expect(diagnosis).toMatch(next);
    const { last_error } = (await rest.ask('GET', `/v1/webhooks/subscriptions/${id}`)).body;
    expect(error ?? last_error).toBe(last_error);
  });

  it('the cause is any error that there is', () => {
    const tried = new Set(causes.map(({ error }) => error));
    // What was interrupted is made again by itself, and changes nothing that a subscription shows.
    expect(attemptErrors.filter((error) => error !== 'interrupted' && !tried.has(error))).toEqual([]);
  });

  it('no process delivers', async () => {
    const idle = await startRest();
    const { body } = await idle.subscribe();
    await idle.publish();
    const client = await agentOf(idle);
    expect(await diagnosisOf(body.id, client)).toBe(
      'No process is delivering: start "posthorn serve" without POSTHORN_DISPATCH=off. 1 delivery is waiting.',
    );
    await client.close();
    await idle.close();
  });

  it('its host waits for approval', async () => {
    const careful = await startRest({ environment: { POSTHORN_NEW_HOSTS: 'approve' } });
    await careful.h.posthorn.startDispatcher();
    const { body } = await careful.subscribe();
    await careful.publish();
    const client = await agentOf(careful);
    const diagnosis = await diagnosisOf(body.id, client);
    expect(diagnosis).toMatch(/^It waits for approval because its host is new to the workspace/);
    expect(diagnosis).toMatch(/ask someone with webhooks:approve/);
    await client.close();
    await careful.close();
  });
});
