import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/package.ts';
import { chooseTools, defaultToolGroups } from '../../tools/index.ts';
import { startHarness } from '../support/harness.ts';
import { adminKey } from '../support/server.ts';
import { closeAfterEach } from './close-after-each.ts';

const closing = closeAfterEach();
const packageFolder = join(packageRoot, 'node_modules/@modelcontextprotocol/inspector');

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'posthorn-inspector-'));
  closing({ close: () => rm(path, { recursive: true, force: true }) });
  return path;
}

/** What `mcp-inspector --cli` prints for one method. It exits with 6 when a tool's schema has a portability error. */
async function inspect(target: string[], ...method: string[]): Promise<Record<string, unknown>> {
  const { bin } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as {
    bin: { 'mcp-inspector': string };
  };
  // It keeps settings and secrets below the home folder.
  const env = { PATH: process.env['PATH'] ?? '', HOME: await temporaryFolder() };
  const args = [join(packageFolder, bin['mcp-inspector']), '--cli', '--quiet', ...target, '--method', ...method];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 4 * 1024 * 1024 });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const names = chooseTools(defaultToolGroups, false).map(({ name }) => ({ name }));
const callTool = ['tools/call', '--tool-name', 'list_event_types', '--tool-arg', 'limit=1'];
const oneType = { structuredContent: { event_types: [{ name: expect.any(String) }], next_cursor: expect.any(String) } };

describe("the inspector's command line", () => {
  it('lists and calls tools over stdio', async () => {
    const folder = await temporaryFolder();
    const env = ['-e', `DATABASE_URL=file:${join(folder, 'p.db')}`];
    const target = [...env, process.execPath, join(packageRoot, 'bin/posthorn.js'), 'mcp'];
    expect(await inspect(target, 'tools/list', '--strict')).toMatchObject({ tools: names });
    expect(await inspect(target, ...callTool)).toMatchObject(oneType);
  });

  it('lists and calls tools over HTTP', async () => {
    const harness = closing(await startHarness({ environment: { PORT: '0', POSTHORN_ADMIN_KEY: adminKey } }));
    const { url } = await harness.posthorn.listen();
    const target = [`${url}/mcp`, '--transport', 'http', '--header', `Authorization: Bearer ${adminKey}`];
    expect(await inspect(target, 'tools/list', '--strict')).toMatchObject({ tools: names });
    expect(await inspect(target, ...callTool)).toMatchObject(oneType);
  });
});
