import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolGroups } from '../../src/core/vocabulary.ts';
import { run } from '../cli/here.ts';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { adminKey, makeFolder, type Server, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { everything } from './everything.ts';
import { injections, mark, textsWith } from './injections.ts';
import { hostileName, honestName, isLate, lookUp, resolverOptions } from './resolver.ts';
import { startStranger, type Stranger } from './stranger.ts';

/** A real server between a resolver and receivers that plant a text wherever an answer or a certificate has room for one. */

const secretKey = Buffer.alloc(32, 0x5a).toString('base64');
const dataMark = 'qx8zj';
/** The same texts, said by whoever calls us. */
const callerMark = 'qx9zj';
const said = textsWith(callerMark);

let folder: ReturnType<typeof makeFolder>;
let server: Server;
let stranger: Stranger;
let agent: AnyClient;
/** To a receiver that answers, to one whose certificate is the text, and to names that resolve to the text. */
let subscription = '';
let inTls = '';
let inDns = '';
const answers: string[] = [];

async function ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await server.request(method, path, body);
  answers.push(JSON.stringify(answer));
  return answer.body;
}
const at = (id: string) => `/v1/webhooks/subscriptions/${id}`;
const subscribe = async (url: string) =>
  String((await ask('POST', '/v1/webhooks/subscribe', { url, events: ['*'], secret: 'of-our-own' }))['id']);
const hostileUrl = (index: number) => `https://${hostileName(index)}:${stranger.tlsPort}/hook`;

beforeAll(async () => {
  folder = makeFolder();
  stranger = await startStranger();
  const authority = join(folder.path, 'authority.pem');
  writeFileSync(authority, stranger.authority);
  server = await startServer(`file:${folder.path}/p.db`, {
    POSTHORN_LOG_LEVEL: 'trace',
    POSTHORN_SECRET_KEY: secretKey,
    POSTHORN_TOOLS: toolGroups.join(),
    POSTHORN_RETRY_SCHEDULE: '1h',
    NODE_EXTRA_CA_CERTS: authority,
    NODE_OPTIONS: resolverOptions,
  });
  subscription = await subscribe(`http://127.0.0.1:${stranger.port}/hook`);
  inTls = await subscribe(`https://${honestName}:${stranger.tlsPort}/hook`);
  inDns = await subscribe(hostileUrl(0));
  const place = { url: new URL(`${server.url}/mcp`), headers: { authorization: `Bearer ${adminKey}` } };
  agent = await connect('2.x auto', place);
  for (const [index, text] of injections.entries()) {
    // With somebody to vouch for it, nothing but its names is wrong.
    stranger.plant(text, index % 5 > 0);
    await ask('PATCH', at(inDns), { url: hostileUrl(index) });
    await Promise.all([subscription, inTls, inDns].map((id) => ask('POST', `${at(id)}/test`)));
    if (isLate(index)) await ask('PATCH', at(inDns), { url: `${hostileUrl(index)}/again` });
  }
  for (const text of injections.slice(0, 5)) {
    stranger.plant(text);
    await ask('POST', '/v1/events', { type: 'contact.created', data: { note: 'n' } });
  }
  // Not only tests, which somebody waits for: the worker sends too.
  for (const id of [subscription, inTls, inDns]) {
    await until(async () => (await logOf(id, 1))[0]?.is_test === false);
  }
}, 120_000);
afterAll(async () => {
  await agent.close();
  await server.kill('SIGTERM');
  await stranger.close();
  folder.remove();
});

interface Row {
  is_test: boolean;
  error: string | null;
}
const logOf = async (id: string, limit: number) => (await ask('GET', `${at(id)}/logs?limit=${limit}`))['data'] as Row[];
const errorsOf = async (id: string) =>
  [...new Set((await logOf(id, 200)).map(({ error }) => String(error)))].toSorted();

const logsPath = () => `/v1/webhooks/subscriptions/${subscription}/logs?limit=200`;
const carries = (text: string) => text.replaceAll(/[\u200b\\]|u200b/g, '').includes(mark);

const nobody = () => new Error('it was not refused');

describe('two hundred texts of a receiver', () => {
  it('are in no answer, no tool, no resource, no prompt, no page and no log line, wherever they were planted', async () => {
    expect(new Set(injections).size).toBe(200);
    // Each attempt came to where its text was planted.
    expect(await errorsOf(inTls)).toEqual(['tls_failed']);
    expect(await errorsOf(inDns)).toEqual(['dns_failed', 'target_not_allowed', 'tls_failed']);
    const { rest, mcp, page } = await everything(server, agent);
    expect([rest, mcp, page].map((texts) => texts.length > 20)).toEqual([true, true, true]);
    expect([...answers, ...rest, ...mcp, ...page].filter(carries)).toEqual([]);
    expect(carries(server.stderr())).toBe(false);
  }, 60_000);

  it('would be seen: Node repeats the names of a certificate, and what a resolver says', async () => {
    for (const text of injections.slice(1, 5)) {
      stranger.plant(text);
      const options = { port: stranger.tlsPort, servername: honestName, ca: [stranger.authority] };
      const refusals = [
        new Promise<Error>((resolve) => connectTls(options).once('error', resolve)),
        ...[0, 1].map((index) => lookUp(hostileName(index)).then(nobody, (error: Error) => error)),
      ];
      for (const { message } of await Promise.all(refusals)) expect(carries(message)).toBe(true);
    }
  });

  it('come on request in one field, at most 2 KiB, without what is invisible or steers', async () => {
    const asked = await server.request('GET', `${logsPath()}&include=untrusted_response`);
    const rows = asked.body['data'] as { untrusted_response: string | null }[];
    const texts = rows.flatMap(({ untrusted_response: text }) => text ?? []);
    expect(texts.filter(carries).length).toBeGreaterThan(150);
    expect(texts.filter((text) => Buffer.byteLength(text) > 2_048)).toEqual([]);
    expect(texts.filter((text) => /[\p{Cf}\u2028\u2029\ufe0f]|(?![\t\n])\p{Cc}/u.test(text))).toEqual([]);
    expect(carries(JSON.stringify(rows.map((row) => ({ ...row, untrusted_response: null }))))).toBe(false);
    const told = await agent.callTool('list_webhook_subscription_logs', {
      subscription_id: subscription,
      include_untrusted_response: true,
      limit: 1,
    });
    expect(carries(JSON.stringify(told))).toBe(true);
  });
});

describe('texts of whoever calls', () => {
  it('stay inside JSON strings of the log: every line of stderr is one object of ours', async () => {
    for (const text of said.filter((_, index) => index % 10 === 0)) {
      await ask('POST', '/v1/events', { type: text.slice(0, 100), data: { [dataMark]: text } });
      await ask('POST', '/v1/webhooks/subscribe', { url: text.slice(0, 100), events: [text.slice(0, 50)] });
      await ask('GET', `/v1/events/${encodeURIComponent(text.slice(0, 40))}`);
      await ask('PATCH', `/v1/webhooks/subscriptions/${subscription}`, { description: text.slice(0, 400) });
    }
    const lines = server
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('{') || line.includes(callerMark));
    expect(lines.length).toBeGreaterThan(100);
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), pid: server.child.pid });
    expect(server.stderr()).not.toContain(callerMark);
    expect(server.stderr()).not.toContain(dataMark);
  });

  it('event data comes only to who may read payloads', async () => {
    const text = `${dataMark} ${said[0]}`;
    await ask('POST', '/v1/events', { type: 'contact.created', data: { text }, id: 'with-data' });
    const { key } = (await server.request('POST', '/v1/keys', { name: 'r', scopes: ['events:read', 'webhooks:read'] }))
      .body;
    const headers = { authorization: `Bearer ${String(key)}` };
    const read = async (path: string) => (await fetch(server.url + path, { headers })).text();
    const all = await Promise.all(['/v1/events', '/v1/events/with-data', '/v1/deliveries', logsPath()].map(read));
    expect(all.filter((one) => one.includes(dataMark))).toEqual([]);
    expect(JSON.stringify(await ask('GET', '/v1/events/with-data'))).toContain(dataMark);
  });
});

describe('the terminal', () => {
  it('is steered by nothing that a command prints of others', async () => {
    const environment = {
      DATABASE_URL: `file:${folder.path}/p.db`,
      POSTHORN_SECRET_KEY: secretKey,
    };
    const evil = `\u001b[2J\u202e${callerMark}\u0007\u009b`;
    await ask('POST', '/v1/keys', { name: evil, scopes: ['webhooks:read'] });
    const commands = [
      ['keys', 'list'],
      ['keys', 'revoke', evil],
      ['workspaces', 'list'],
      ['workspaces', 'create', evil],
      ['approve', evil],
      ['approve', subscription],
      ['publish', evil],
      ['publish', 'contact.created', '--workspace', evil],
      ['audit', 'verify'],
      ['doctor'],
      [evil],
    ];
    const printed: { args: string[]; text: string }[] = [];
    for (const args of commands) {
      const { stdout, stderr } = await run(args, environment);
      printed.push({ args, text: stdout + stderr });
    }
    expect(printed.filter(({ text }) => text === '')).toEqual([]);
    expect(printed.filter(({ text }) => /[\p{Cf}]|(?![\t\n])\p{Cc}/u.test(text))).toEqual([]);
  }, 60_000);
});
