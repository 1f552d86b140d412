import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolGroups } from '../../src/core/vocabulary.ts';
import { type AnyClient, connect } from '../mcp/clients.ts';
import { adminKey, makeFolder, type Server, startServer } from '../support/server.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';
import { everything } from './everything.ts';

/** Secrets that are told over each face, looked for wherever a server keeps or says something. */

const secretKey = Buffer.alloc(32, 0x5b).toString('base64');
const never = '_00000000000000000000000000';

let folder: ReturnType<typeof makeFolder>;
let server: Server;
let receiver: Receiver;
let agent: AnyClient;
/** Everything that was answered, but for what a secret was shown in, which is its one time. */
const answers: string[] = [];
/** Made here and shown once. */
const shown: string[] = [adminKey, secretKey];
let audit = '';

interface Answered {
  isRefused: boolean;
  text: string;
  body: Record<string, unknown>;
}
/** What the faces do alike: `tool` or `method` and `path`; `id` is of what it is done to. */
interface Deed {
  tool: string;
  method: string;
  path: (id: string) => string;
  idField?: string;
}
const subscriptions = '/v1/webhooks/subscriptions';
const configs = '/v1/webhooks/configs';
const subscribe: Deed = { tool: 'create_webhook_subscription', method: 'POST', path: () => '/v1/webhooks/subscribe' };
const rotate: Deed = {
  tool: 'rotate_webhook_secret',
  method: 'POST',
  path: (id) => `${subscriptions}/${id}/rotate-secret`,
  idField: 'subscription_id',
};
const configure: Deed = { tool: 'create_webhook_config', method: 'POST', path: () => configs };
const change: Deed = {
  tool: 'update_webhook_config',
  method: 'PATCH',
  path: (id) => `${configs}/${id}`,
  idField: 'config_id',
};

type Do = (deed: Deed, args: Record<string, unknown>, id?: string) => Promise<Answered>;
const faces: Record<'REST' | 'MCP', Do> = {
  async REST({ method, path }, args, id = '') {
    const { status, body } = await server.request(method, path(id), args);
    return { isRefused: status >= 400, text: JSON.stringify(body), body };
  },
  async MCP({ tool, idField }, args, id = '') {
    const told = await agent.callTool(tool, { ...args, ...(idField === undefined ? {} : { [idField]: id }) });
    const body = (told.structuredContent ?? {}) as Record<string, unknown>;
    return { isRefused: told.isError === true, text: JSON.stringify(told), body };
  },
};
const canariesOf = (face: string) => ({
  endpoint: `canary-${face}-endpoint-secret`,
  rotated: `canary-${face}-rotated-secret`,
  config: `canary-${face}-config-secret`,
  header: `canary-${face}-header-value`,
  changed: `canary-${face}-changed-value`,
  refused: `canary-${face}-refused-secret`,
});

async function tell(face: 'REST' | 'MCP'): Promise<void> {
  const canaries = canariesOf(face);
  const url = `${receiver.url}/${face}`;
  const done = async (...deed: Parameters<Do>) => {
    const { isRefused, text, body } = await faces[face](...deed);
    if (isRefused) throw new Error(text);
    if (typeof body['secret'] === 'string') shown.push(body['secret']);
    else answers.push(text);
    return String(body['id']);
  };
  // REST has a header for it. What is kept to be answered again is the same.
  const once = face === 'MCP' ? { idempotency_key: 'once' } : {};
  const events = ['*'];
  const endpoint = await done(subscribe, { url, events, secret: canaries.endpoint, ...once });
  await done(rotate, { secret: canaries.rotated }, endpoint);
  const made = await done(subscribe, { url, events });
  await done(rotate, {}, made);
  const headers = (value: string) => ({ Authorization: `Bearer ${value}` });
  const named = { name: face, url, trigger_events: events };
  const own = await done(configure, { ...named, secret: canaries.config, headers: headers(canaries.header) });
  await done(change, { headers: headers(canaries.changed) }, own);

  const secret = canaries.refused;
  const refused: Parameters<Do>[] = [
    [subscribe, { url: 'https://10.0.0.1/', events, secret }],
    [subscribe, { url, events: ['no.such'], secret }],
    [subscribe, { url, events, secret: `${secret}${'x'.repeat(300)}` }],
    [subscribe, { url, events, secret, colour: secret }],
    [rotate, { secret, overlap: '900d' }, endpoint],
    [rotate, { secret }, `sub${never}`],
    [configure, { ...named, headers: { Host: secret } }],
    [configure, { ...named, headers: { 'X-Key': `${secret}\n` } }],
    [change, { headers: headers(secret) }, `cfg${never}`],
  ];
  for (const each of refused) {
    const { isRefused, text } = await faces[face](...each);
    if (!isRefused) throw new Error(text);
    answers.push(text);
  }
}

beforeAll(async () => {
  folder = makeFolder();
  receiver = await startReceiver();
  receiver.respond((_request, response) => response.writeHead(500).end('no'));
  server = await startServer(`file:${folder.path}/p.db`, {
    POSTHORN_LOG_LEVEL: 'trace',
    POSTHORN_SECRET_KEY: secretKey,
    POSTHORN_TOOLS: toolGroups.join(),
    POSTHORN_RETRY_SCHEDULE: '1h',
  });
  const key = await server.request('POST', '/v1/keys', { name: 'k', scopes: ['webhooks:read'] });
  shown.push(String(key.body['key']));
  const headers = { authorization: `Bearer ${adminKey}` };
  agent = await connect('2.x auto', { url: new URL(`${server.url}/mcp`), headers });
  await tell('REST');
  await tell('MCP');
  await server.request('POST', '/v1/events', { type: 'contact.created', data: {} });
  await until(async () => ((await server.request('GET', '/v1/webhooks/logs')).body['data'] as object[]).length === 6);
  const said = await everything(server, agent);
  answers.push(...said.rest, ...said.mcp, ...said.page);
  audit = JSON.stringify((await server.request('GET', '/v1/audit?limit=200')).body);
}, 60_000);
afterAll(async () => {
  await agent.close();
  await server.kill('SIGTERM');
  await receiver.close();
  folder.remove();
});

describe.each(['REST', 'MCP'] as const)('canary secrets that were told over %s', (face) => {
  it('are in no file of the database, no answer, no error, no log line and no row of the audit log', () => {
    const canaries = Object.values(canariesOf(face));
    const secrets = [...canaries, ...canaries.map((one) => Buffer.from(one).toString('base64')), ...shown];
    // Without their prefix too, as they are computed with.
    secrets.push(...shown.flatMap((one) => (one.startsWith('whsec_') ? [one.slice(6)] : [])));
    expect(secrets.filter((one) => one.length < 10)).toEqual([]);
    const files = globSync('p.db*', { cwd: folder.path });
    expect(files).toEqual(expect.arrayContaining(['p.db', 'p.db-wal']));
    const held = Buffer.concat(files.map((name) => readFileSync(join(folder.path, name))));
    expect(secrets.filter((one) => held.indexOf(one) >= 0)).toEqual([]);
    expect(secrets.filter((one) => answers.some((answer) => answer.includes(one)))).toEqual([]);
    expect(secrets.filter((one) => server.stderr().includes(one))).toEqual([]);
    expect(secrets.filter((one) => audit.includes(one))).toEqual([]);
    // What is looked for would be found: the URL and the name stand beside the secret.
    expect(held.indexOf(`${receiver.url}/${face}`)).toBeGreaterThan(0);
    expect(answers.filter((answer) => answer.includes(`${receiver.url}/${face}`)).length).toBeGreaterThan(5);
    expect(audit).toContain(`"face":"${face.toLowerCase()}"`);
  });

  it('are used: the receiver gets the header, and a secret was shown for each that was made here', () => {
    const sent = receiver.requests.filter(({ path }) => path === `/${face}`);
    const { changed } = canariesOf(face);
    expect(sent.map(({ headers }) => headers.authorization)).toContain(`Bearer ${changed}`);
    expect(shown.filter((one) => one.startsWith('whsec_'))).toHaveLength(4);
  });
});
