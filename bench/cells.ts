import type { Machine } from './machine.ts';
import { type Figure, reached } from './row.ts';

/** How figures are shown, in a terminal and in the documentation. */
export const cellTitles = ['row', 'figure', 'measured', 'against', 'ratio', 'to reach', ''];

export function cells(row: string, figure: Figure): string[] {
  const { what, value, unit, against, ratio } = figure;
  const comparison = against === null ? '' : `${against.what} ${shown(against.value)} ${unit}`;
  const verdict = reached(figure);
  return [
    row,
    what,
    `${shown(value)} ${unit}`.trim(),
    comparison,
    ratio === null ? '' : ratio.toFixed(2),
    goal(figure),
    verdict === null ? '' : verdict ? 'reached' : 'not reached',
  ];
}

function goal({ reach, unit }: Figure): string {
  if (reach === null) return '';
  const bound = 'atLeast' in reach ? `>= ${reach.atLeast}` : `<= ${reach.atMost}`;
  return reach.of === 'ratio' ? `ratio ${bound}` : `${bound} ${unit}`.trim();
}

export function machineText({ cpu, cores, memoryGiB, system, node, syncMs }: Machine): string {
  return `${cores} × ${cpu}, ${memoryGiB} GiB, ${system}, Node ${node}; writing and syncing 4 KiB: ${syncMs} ms`;
}

function shown(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  if (value >= 1_000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
