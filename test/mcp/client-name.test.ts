import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startHarness } from '../support/harness.ts';
import { clientKinds, connect } from './clients.ts';
import { closeAfterEach } from './close-after-each.ts';
import { resultOf } from './conversation.ts';

const closing = closeAfterEach();
const program = fileURLToPath(new URL('../../bin/posthorn.js', import.meta.url));
const input = { url: 'http://127.0.0.1:9/', events: ['*'] };

/** Clients of the older revisions introduce themselves once, over HTTP to a server that keeps no session. */
const overHttp = {
  '2.x legacy': 'node',
  '2.x auto': 'posthorn-test/1.0.0',
  '2.x pinned': 'posthorn-test/1.0.0',
  '1.32': 'node',
};

describe('the audit log names the client', () => {
  it.each(clientKinds)('%s over stdio, by what it says of itself', async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-mcp-'));
    closing({ close: async () => rmSync(folder, { recursive: true, force: true }) });
    const databaseUrl = `file:${join(folder, 'p.db')}`;
    const secretKey = Buffer.alloc(32, 7).toString('base64');
    const env = { DATABASE_URL: databaseUrl, POSTHORN_ALLOW_TARGETS: '127.0.0.1/32', POSTHORN_SECRET_KEY: secretKey };
    const agent = await connect(kind, { command: process.execPath, args: [program, 'mcp'], env });
    const { id } = resultOf(await agent.callTool('create_webhook_subscription', input));
    await agent.close();
    const { core, owner } = closing(await startHarness({ databaseUrl }));
    const { data } = await core.listAudit(owner, { target_id: id });
    const local = { kind: 'local', key_id: null, name: 'local' };
    expect(data).toMatchObject([{ face: 'mcp', client: 'posthorn-test/1.0.0', principal: local }]);
  });

  it.each(clientKinds)('%s over HTTP, by what it says of itself, else by its user agent', async (kind) => {
    const { core, owner, posthorn } = closing(await startHarness({ environment: { PORT: '0' } }));
    const { key } = await core.createKey(owner, { name: 'agent', scopes: ['webhooks:write'] });
    const url = new URL(`${(await posthorn.listen()).url}/mcp`);
    const agent = closing(await connect(kind, { url, headers: { authorization: `Bearer ${key}` } }));
    const { id } = resultOf(await agent.callTool('create_webhook_subscription', input));
    const { data } = await core.listAudit(owner, { target_id: id });
    expect(data).toMatchObject([{ face: 'mcp', client: overHttp[kind], principal: { kind: 'key', name: 'agent' } }]);
  });
});
