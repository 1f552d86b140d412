import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageServer } from '../packaging/install-links.ts';
import { packageRoot } from '../src/package.ts';
import { chooseTools, defaultToolGroups } from '../tools/index.ts';
import { connect, type Place } from './mcp/clients.ts';
import { type Described, serversIn } from './readme-snippets.ts';
import { type Harness, startHarness } from './support/harness.ts';
import { adminKey } from './support/server.ts';

const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
const found = serversIn(readme);
/** Clients write the same thing in different ways: each is spoken to once. */
const different = [...new Map(found.map(({ server }) => [JSON.stringify(server), server])).entries()];

let folder = '';
let harness: Harness;
let serverUrl = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-readme-'));
  harness = await startHarness({ environment: { PORT: '0', POSTHORN_ADMIN_KEY: adminKey } });
  ({ url: serverUrl } = await harness.posthorn.listen());
});

afterAll(async () => {
  await harness.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The server as it stands in the README, with what a reader replaces: their checkout, key and database. */
function placeOf(server: Described): Place {
  if ('url' in server) {
    const headers = Object.entries(server.headers).map(([name, value]) => [name, value.replace('YOUR_KEY', adminKey)]);
    return { url: new URL('/mcp', serverUrl), headers: Object.fromEntries(headers) as Record<string, string> };
  }
  const node = dirname(process.execPath);
  const env = { PATH: `${node}${delimiter}${process.env['PATH']}`, HOME: folder, ...server.env };
  const args = server.args.map((argument) => argument.replace('/path/to/posthorn', packageRoot));
  // The package is not to be had from a registry while it is being tested.
  const isPackage = args.slice(0, 2).join(' ') === '-y posthorn';
  if (!isPackage)
    return { command: server.command, args, cwd: folder, env: { ...env, DATABASE_URL: databaseIn(folder) } };
  return { command: process.execPath, args: [join(packageRoot, 'bin/posthorn.js'), ...args.slice(2)], cwd: '/', env };
}

function databaseIn(path: string): string {
  return `file:${join(path, 'p.db')}`;
}

describe('the configuration in the README', () => {
  it('is there for every client, from a checkout, as a package and over HTTP', () => {
    const kinds = found.map(({ server }) => ('url' in server ? 'http' : server.command));
    const count = (kind: string) => kinds.filter((each) => each === kind).length;
    expect({ npm: count('npm'), npx: count('npx'), http: count('http') }).toEqual({ npm: 4, npx: 3, http: 3 });
    const asPackage = found.filter(({ server }) => 'command' in server && server.command === 'npx');
    expect(asPackage.map(({ server }) => server)).toEqual(asPackage.map(() => packageServer));
    const urls = found.flatMap(({ server }) => ('url' in server ? [server.url] : []));
    expect(urls).toEqual(urls.map(() => 'http://127.0.0.1:8787/mcp'));
  });

  it.each(different)('%s reaches a server that lists its tools', async (_, server) => {
    const client = await connect('2.x legacy', placeOf(server));
    const names = (await client.listTools()).map(({ name }) => name);
    expect(names).toEqual(chooseTools(defaultToolGroups, false).map(({ name }) => name));
    const { isError } = await client.callTool('list_webhook_subscriptions');
    await client.close();
    expect(isError ?? false).toBe(false);
    const file = 'url' in server ? '.' : server.command === 'npm' ? 'p.db' : '.posthorn/posthorn.db';
    expect(existsSync(join(folder, file))).toBe(true);
  });

  it('is what the links install', () => {
    const links = [...readme.matchAll(/\[Install in ([^\]]+)\]\(([^)]+)\)/g)].map(([, client, link = '']) => {
      const { searchParams } = new URL(link);
      if (client === 'Cursor') {
        const config = Buffer.from(searchParams.get('config') ?? '', 'base64').toString();
        return [searchParams.get('name'), JSON.parse(config)] as const;
      }
      const inner = new URL(searchParams.get('url') ?? '');
      expect(inner.protocol + inner.pathname).toBe('vscode:mcp/install');
      const { name, ...server } = JSON.parse(decodeURIComponent(inner.search.slice(1))) as { name: string };
      return [name, server] as const;
    });
    expect(links).toEqual([
      ['posthorn', packageServer],
      ['posthorn', packageServer],
    ]);
  });
});
