import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents, withTables } from '../docs/generate.ts';
import { toolGroups } from '../src/core/vocabulary.ts';
import { packageRoot } from '../src/package.ts';

const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');
const pages = [
  'README.md',
  'docs/reference.md',
  'docs/receivers.md',
  'docs/operating.md',
  'docs/automations.md',
  'docs/conformance.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
];

describe('the documentation', () => {
  it.each(documents)('%s holds the tables as the code makes them; "npm run docs" writes them', (path) => {
    expect(withTables(read(path))).toBe(read(path));
  });

  it.each(pages)('the links of %s lead to files', (path) => {
    const links = [...read(path).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => link);
    const missing = links.filter((link) => !existsSync(join(packageRoot, dirname(path), link)));
    expect(missing).toEqual([]);
  });

  it('the README names every group of tools', () => {
    expect(read('README.md')).toContain(`\`POSTHORN_TOOLS=${toolGroups.join()}\``);
  });

  const sample = (name: string) =>
    new RegExp(`<!-- test:${name} -->\\n\`\`\`\\w+\\n([^]*?)\`\`\``).exec(read('docs/receivers.md'))?.[1] ?? '';

  it('the receiver in Python verifies, and refuses what was changed, is missing or is no signature at all', () => {
    const secret = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;
    const seconds = String(Math.floor(Date.now() / 1_000));
    const body = '{"id":"evt-1","name":"Adä"}';
    const signature = createHmac('sha256', Buffer.alloc(24, 5)).update(`evt-1.${seconds}.${body}`).digest('base64');
    const headers = {
      'webhook-id': 'evt-1',
      'webhook-timestamp': seconds,
      'webhook-signature': `v1,xx v1,${signature}`,
    };
    const changes: Record<string, string | undefined>[] = [
      { 'webhook-id': undefined },
      { 'webhook-id': '\udcff' },
      { 'webhook-timestamp': undefined },
      { 'webhook-timestamp': '²' },
      { 'webhook-timestamp': '9'.repeat(5_000) },
      { 'webhook-signature': undefined },
      { 'webhook-signature': 'v1,ä v1,\udcff' },
    ];
    const requests = [
      { headers, body },
      { headers, body: `${body} ` },
      ...changes.map((change) => ({ headers: { ...headers, ...change }, body })),
    ];
    const printed = execFileSync('python3', [
      '-c',
      `${sample('python')}\nimport sys, json\nprint([verify(sys.argv[1], one["headers"], one["body"].encode()) for one in json.loads(sys.argv[2])])`,
      secret,
      JSON.stringify(requests),
    ]);
    expect(printed.toString().trim()).toBe(`[${['True', ...requests.slice(1).map(() => 'False')].join(', ')}]`);
  });

  it('the receiver of the branded header verifies, and refuses what is missing or no signature at all', () => {
    const signature = createHmac('sha256', 'secret').update('{}').digest('hex');
    const given = `['${signature}', 'f'.repeat(64), 'ä'.repeat(64), '', undefined]`;
    const code = `${sample('plain')}\nconsole.log(${given}.map((one) => isGenuine('{}', one, 'secret')).join());`;
    const printed = execFileSync(process.execPath, ['--input-type=commonjs', '-e', code]);
    expect(printed.toString().trim()).toBe('true,false,false,false,false');
  });
});
