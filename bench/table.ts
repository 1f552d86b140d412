import { cells, cellTitles, machineText } from './cells.ts';
import type { Machine } from './machine.ts';
import type { Measured } from './results.ts';

/** The results as text for a terminal: one line per figure, and what the rows did. */
export function table(measured: readonly Measured[], machine: Machine): string {
  const lines = measured.flatMap((one) =>
    one.error === null ? one.figures.map((figure) => cells(one.row, figure)) : [[one.row, 'failed', one.error]],
  );
  const widths = cellTitles.map((title, column) =>
    Math.max(title.length, ...lines.filter((each) => each.length > 3).map((each) => each[column]?.length ?? 0)),
  );
  const pad = (texts: string[]) =>
    texts
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const rule = widths
    .map((width) => '-'.repeat(width))
    .join('  ')
    .trimEnd();
  const works = measured.flatMap(({ row, work, bound, notes }) => [
    `${row}: ${work}${bound === null ? '' : `. ${bound}`}`,
    ...notes.map((note) => `  ${note}`),
  ]);
  const about = [machineText(machine), ...(machine.databasesInMemory ? [inMemory] : [])];
  return [pad(cellTitles), rule, ...lines.map(pad), '', ...works, '', ...about, ''].join('\n');
}

const inMemory = 'The databases lay in memory: set TMPDIR to a folder on a disk for figures that mean something.';
