import type { Machine } from './machine.ts';
import type { Measured } from './results.ts';
import { type Figure, reached } from './row.ts';

/** The results as text for a terminal: one line per figure, and what the rows did. */
export function table(measured: readonly Measured[], machine: Machine): string {
  const head = ['row', 'figure', 'measured', 'against', 'ratio', 'to reach', ''];
  const lines = measured.flatMap((one) =>
    one.error === null ? one.figures.map((figure) => line(one.row, figure)) : [[one.row, 'failed', one.error]],
  );
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.filter((each) => each.length > 3).map((each) => each[column]?.length ?? 0)),
  );
  const pad = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
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
  return [pad(head), rule, ...lines.map(pad), '', ...works, '', ...about(machine), ''].join('\n');
}

function line(row: string, figure: Figure): string[] {
  const { what, value, unit, against, ratio } = figure;
  const comparison = against === null ? '' : `${against.what} ${shown(against.value)} ${unit}`;
  const verdict = reached(figure);
  return [
    row,
    what,
    `${shown(value)} ${unit}`,
    comparison,
    ratio === null ? '' : ratio.toFixed(2),
    goal(figure),
    verdict === null ? '' : verdict ? 'reached' : 'not reached',
  ];
}

function goal({ reach, unit }: Figure): string {
  if (reach === null) return '';
  const bound = 'atLeast' in reach ? `>= ${reach.atLeast}` : `<= ${reach.atMost}`;
  return reach.of === 'ratio' ? `ratio ${bound}` : `${bound} ${unit}`;
}

function about({ cpu, cores, memoryGiB, system, node, syncMs, databasesInMemory }: Machine): string[] {
  const lines = [
    `${cores} × ${cpu}, ${memoryGiB} GiB, ${system}, Node ${node}; writing and syncing 4 KiB: ${syncMs} ms`,
  ];
  if (databasesInMemory)
    lines.push('The databases lay in memory: set TMPDIR to a folder on a disk for figures that mean something.');
  return lines;
}

function shown(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
