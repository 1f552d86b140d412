import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../src/package.ts';
import type { Machine } from './machine.ts';
import type { Figure } from './row.ts';

/** What one row gave: its figures, or why there are none. */
export interface Measured {
  row: string;
  work: string;
  /** What keeps it from being faster, where that is known. */
  bound: string | null;
  figures: Figure[];
  /** What could not be measured here, and why. */
  notes: string[];
  error: string | null;
}

/** One run. */
export interface Results {
  started_at: string;
  machine: Machine;
  rows: Measured[];
}

export const resultsFolder = join(packageRoot, 'bench', 'results');

/** Writes a run as JSON, which it answers. Those that are kept lie apart from others: the documentation shows the newest. */
export async function writeResults(results: Results, kept: boolean): Promise<string> {
  const text = `${JSON.stringify(results, null, 2)}\n`;
  const folder = kept ? resultsFolder : join(resultsFolder, 'some');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${fileTime(new Date(results.started_at))}.json`), text);
  return text;
}

/** A time as files can be named for it, in their order. */
export function fileTime(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(':', '-');
}
