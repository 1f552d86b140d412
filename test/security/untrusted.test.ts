import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolGroups } from '../../src/core/vocabulary.ts';
import { run } from '../cli/here.ts';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { listen, onRequest, type Receiver } from '../net/receiver.ts';
import { adminKey, makeFolder, type Server, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { injections, mark, textsWith } from './injections.ts';

/** A real server that talks to a receiver which plants a text wherever an answer has room for one. */

const secretKey = Buffer.alloc(32, 0x5a).toString('base64');
const canaries = {
  endpoint: 'canary-endpoint-secret',
  rotated: 'canary-rotated-secret',
  config: 'canary-config-secret',
};
const header = 'canary-config-header';
const dataMark = 'qx8zj';
/** The same texts, said by whoever calls us. */
const callerMark = 'qx9zj';
const said = textsWith(callerMark);

let folder: ReturnType<typeof makeFolder>;
let server: Server;
let receiver: Receiver;
let agent: AnyClient;
let subscription = '';
let planted = '';
/** Everything that was answered, but for what a secret was shown in. */
const answers: string[] = [];
let madeKey = '';
let madeSecret = '';

async function ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await server.request(method, path, body);
  answers.push(JSON.stringify(answer));
  return answer.body;
}

beforeAll(async () => {
  folder = makeFolder();
  server = await startServer(`file:${folder.path}/p.db`, {
    POSTHORN_LOG_LEVEL: 'trace',
    POSTHORN_SECRET_KEY: secretKey,
    POSTHORN_TOOLS: toolGroups.join(),
    POSTHORN_RETRY_SCHEDULE: '1h',
  });
  let count = 0;
  receiver = await listen(
    onRequest((socket) => {
      // Where a line must be one line, what would break it off is left out; in the body stands all.
      const line = Buffer.from(planted)
        .toString('latin1')
        .replaceAll(/[\u0000-\u001f\u007f]/g, '');
      const status = [200, 302, 400, 500, 503][count++ % 5];
      const body = Buffer.from(planted);
      socket.write(
        `HTTP/1.1 ${status} ${line}\r\nlocation: https://evil.example/${line}\r\nretry-after: ${line}\r\n`,
        'latin1',
      );
      socket.write(
        `x-note: ${line}\r\nserver: ${line}\r\ncontent-type: ${line}\r\ncontent-length: ${body.length}\r\n\r\n`,
        'latin1',
      );
      socket.write(body);
    }),
  );
  const url = `http://127.0.0.1:${receiver.port}/hook`;
  const made = await server.request('POST', '/v1/webhooks/subscribe', {
    url,
    events: ['*'],
    secret: canaries.endpoint,
  });
  subscription = String(made.body['id']);
  await ask('POST', `/v1/webhooks/subscriptions/${subscription}/rotate-secret`, { secret: canaries.rotated });
  const other = await server.request('POST', '/v1/webhooks/subscribe', { url: `${url}2`, events: ['form.*'] });
  madeSecret = String(other.body['secret']);
  madeKey = String((await server.request('POST', '/v1/keys', { name: 'k', scopes: ['webhooks:read'] })).body['key']);
  await ask('POST', '/v1/webhooks/configs', {
    name: 'c',
    url: `${url}3`,
    secret: canaries.config,
    headers: { authorization: `Bearer ${header}` },
    trigger_events: [],
    include_trigger_data: true,
  });
  const place = { url: new URL(`${server.url}/mcp`), headers: { authorization: `Bearer ${adminKey}` } };
  agent = await connect('2.x auto', place);
  for (planted of injections) await ask('POST', `/v1/webhooks/subscriptions/${subscription}/test`);
  for (const text of injections.slice(0, 5)) {
    planted = text;
    await ask('POST', '/v1/events', { type: 'contact.created', data: { note: 'n' } });
  }
  await until(
    async () => Number((await ask('GET', `/v1/webhooks/subscriptions/${subscription}`))['pending_count']) < 5,
  );
}, 120_000);
afterAll(async () => {
  await agent.close();
  await server.kill('SIGTERM');
  await receiver.close();
  folder.remove();
});

const logsPath = () => `/v1/webhooks/subscriptions/${subscription}/logs?limit=200`;
const carries = (text: string) => text.replaceAll(/[\u200b\\]|u200b/g, '').includes(mark);

describe('two hundred texts of a receiver', () => {
  it('are in no answer, no tool, no resource, no prompt and no log line, wherever they were planted', async () => {
    expect(new Set(injections).size).toBe(200);
    const lists = [
      'webhooks/subscriptions',
      'webhooks/configs',
      'webhooks/logs?limit=200',
      'deliveries',
      'events',
      'audit',
      'keys',
    ];
    for (const list of lists) await ask('GET', `/v1/${list}`);
    await ask('GET', logsPath());
    const of = { subscription_id: subscription };
    for (const name of ['get_webhook_subscription', 'list_webhook_subscription_logs', 'test_webhook_subscription'])
      answers.push(JSON.stringify(await agent.callTool(name, of)));
    for (const name of ['list_webhook_subscriptions', 'list_events', 'list_webhook_configs'])
      answers.push(JSON.stringify(await agent.callTool(name)));
    for (const uri of ['posthorn://status', `posthorn://subscriptions/${subscription}`])
      answers.push(await agent.readResource(uri));
    answers.push(await agent.getPrompt('debug_failing_webhook', of));
    expect(receiver.connections).toBeGreaterThan(0);
    expect(answers.filter(carries)).toEqual([]);
    expect(carries(server.stderr())).toBe(false);
  }, 60_000);

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

describe('canary secrets', () => {
  it('are in no file of the database, no answer, no log line', async () => {
    await ask('GET', '/v1/audit?limit=200');
    const secrets = [...Object.values(canaries), header, adminKey, secretKey, madeKey, madeSecret, madeSecret.slice(6)];
    expect(secrets.filter((one) => one.length < 10)).toEqual([]);
    const files = globSync('p.db*', { cwd: folder.path });
    expect(files).toEqual(expect.arrayContaining(['p.db', 'p.db-wal']));
    const held = Buffer.concat(files.map((name) => readFileSync(join(folder.path, name))));
    // What is looked for would be found: the URL stands beside the secret.
    expect(held.indexOf(`127.0.0.1:${receiver.port}/hook`)).toBeGreaterThan(0);
    const isHeld = (one: string) => held.indexOf(one) >= 0;
    expect(secrets.filter(isHeld)).toEqual([]);
    expect(secrets.filter((one) => isHeld(Buffer.from(one).toString('base64')))).toEqual([]);
    expect(secrets.filter((one) => answers.some((answer) => answer.includes(one)))).toEqual([]);
    expect(secrets.filter((one) => server.stderr().includes(one))).toEqual([]);
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
