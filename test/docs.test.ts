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

  it('the receiver in Python verifies, and refuses what was changed', () => {
    const code = /<!-- test:python -->\n```python\n([^]*?)```/.exec(read('docs/receivers.md'))?.[1];
    expect(code).toContain('def verify');
    const secret = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;
    const seconds = String(Math.floor(Date.now() / 1_000));
    const body = '{"id":"evt-1","name":"Adä"}';
    const signature = createHmac('sha256', Buffer.alloc(24, 5)).update(`evt-1.${seconds}.${body}`).digest('base64');
    const headers = JSON.stringify({
      'webhook-id': 'evt-1',
      'webhook-timestamp': seconds,
      'webhook-signature': `v1,xx v1,${signature}`,
    });
    const run = (text: string) =>
      execFileSync('python3', [
        '-c',
        `${code}\nimport sys, json\nprint(verify(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3].encode()))`,
        secret,
        headers,
        text,
      ])
        .toString()
        .trim();
    expect([run(body), run(`${body} `)]).toEqual(['True', 'False']);
  });
});
