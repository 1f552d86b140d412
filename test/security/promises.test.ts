import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/package.ts';

const text = readFileSync(join(packageRoot, 'SECURITY.md'), 'utf8');

interface Named {
  file: string;
  title: string;
}
const namedIn = (markdown: string): Named[] =>
  [...markdown.matchAll(/`(test\/[\w./-]+\.test\.ts)` "([^"]+)"/g)].map(([, file = '', title = '']) => ({
    file,
    title,
  }));

/** As it stands behind `it(` or in a table's title. */
function exists({ file, title }: Named): boolean {
  const path = join(packageRoot, file);
  if (!existsSync(path)) return false;
  const source = readFileSync(path, 'utf8');
  return [`'${title.replaceAll("'", String.raw`\'`)}'`, `"${title}"`, `\`${title}\``].some((written) =>
    new RegExp(`[(,]\\s*${written.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)},`).test(source),
  );
}

it('each row of a promise names a test, and every test that is named exists', () => {
  const rows = text.split('\n').filter((line) => /^\| .* \| .* \| .* \|$/.test(line));
  const promises = rows.filter((line) => !/^\| (who|they try|it tries|---)/.test(line));
  // Those of the first table say who there is, and promise nothing.
  const unproven = promises.filter((line) => namedIn(line).length === 0);
  expect(unproven.map((line) => line.split(' | ')[0])).toEqual([
    '| a hostile receiver',
    '| a stranger on the network',
    '| a deceived agent',
    '| another tenant',
    '| a thief of the database file',
    "| a web page in the operator's browser",
  ]);
  expect(namedIn(text).filter((one) => !exists(one))).toEqual([]);
  expect(namedIn(text).length).toBeGreaterThan(40);
  // None is named in another way, which would not be looked for.
  expect(text.match(/`test\/[^`]+\.test\.ts`/g)?.length).toBe(namedIn(text).length + 1);
});

it('a test that is gone, or has another title, would be missed', () => {
  const file = 'test/security/promises.test.ts';
  expect(exists({ file, title: 'a test that is gone, or has another title, would be missed' })).toBe(true);
  expect(exists({ file, title: 'a test that nobody wrote' })).toBe(false);
  expect(exists({ file: 'test/security/gone.test.ts', title: 'x' })).toBe(false);
});
