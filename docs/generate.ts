import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { figures, newestResults, shownResults } from './figures.ts';
import { installLinks } from '../packaging/install-links.ts';
import { variables } from '../src/config/variables.ts';
import { errorTable } from '../src/core/errors.ts';
import { errorSentences } from '../src/core/rules/diagnose.ts';
import { routes } from '../src/http/api/routes.ts';
import { packageRoot } from '../src/package.ts';
import { tools } from '../tools/index.ts';

/** The tables of the documentation, made from code. `npm run docs` writes them; a test finds those that are stale. */
const tables: Record<string, (results: string | null) => string> = {
  install: installLinks,
  figures: (results) => figures(table, results),
  environment: () =>
    table(
      ['variable', 'default', 'meaning'],
      Object.entries(variables).map(([name, one]) => [
        `\`${name}\``,
        'defaultText' in one ? one.defaultText : one.default === null ? 'none' : `\`${one.default}\``,
        one.meaning,
      ]),
    ),
  tools: () =>
    table(
      ['group', 'tool', 'scope', 'does'],
      tools.map((tool) => [tool.group, `\`${tool.name}\``, `\`${tool.scope}\``, tool.title]),
    ),
  routes: () =>
    table(
      ['route', 'scope', 'does'],
      routes.map((route) => [`\`${route.method} ${route.path}\``, `\`${route.scope}\``, route.summary]),
    ),
  errors: () =>
    table(
      ['code', 'status', 'means', 'what to do'],
      Object.entries(errorTable).map(([code, { status, title, advice }]) => [
        `\`${code}\``,
        String(status),
        title,
        advice,
      ]),
    ),
  attempts: () =>
    table(
      ['`error`', 'means'],
      Object.entries(errorSentences).map(([error, sentence]) => [`\`${error}\``, sentence]),
    ),
};

export const documents = ['README.md', 'docs/reference.md'];

/** The text with every table between its markers made anew, the figures from the results that it shows unless told others. */
export function withTables(text: string, results = shownResults(text)): string {
  return text.replaceAll(
    /(<!-- begin:(\w+) -->\n)[^]*?(<!-- end:\2 -->)/g,
    (_all, begin: string, name: string, end: string) => `${begin}${tables[name]?.(results) ?? ''}${end}`,
  );
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const document of documents) {
    const path = join(packageRoot, document);
    writeFileSync(path, withTables(readFileSync(path, 'utf8'), newestResults()));
  }
}
