import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cells, cellTitles, machineText } from '../bench/cells.ts';
import { type Results, resultsFolder } from '../bench/results.ts';

type Table = (head: string[], rows: string[][]) => string;

/** The file of the newest run of the whole benchmark; null when none is kept. */
export function newestResults(): string | null {
  const names = readdirSync(resultsFolder).filter((name) => name.endsWith('.json'));
  return names.toSorted((a, b) => a.localeCompare(b)).at(-1) ?? null;
}

/** The file that a text shows the figures of. */
export function shownResults(text: string): string | null {
  return /From `bench\/results\/([\w-]+\.json)`/.exec(text)?.[1] ?? null;
}

/** What a run measured, and what bounds it. */
export function figures(table: Table, name: string | null): string {
  if (name === null) return 'No run is kept.\n';
  const { machine, rows } = JSON.parse(readFileSync(join(resultsFolder, name), 'utf8')) as Results;
  const failed = ['', '', '', '', 'failed'];
  const lines = rows.flatMap((one) =>
    one.error === null ? one.figures.map((figure) => cells(one.row, figure)) : [[one.row, one.error, ...failed]],
  );
  const facts = rows.map(({ row, work, bound, notes }) => [row, `${work}.`, [bound ?? '', ...notes].join(' ').trim()]);
  return `${table(cellTitles, lines)}
${machineText(machine)}. From \`bench/results/${name}\`.

${table(['row', 'what is done', 'what bounds it'], facts)}`;
}
