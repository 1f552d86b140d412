import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/package.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { Row } from './row.ts';
import { rows } from './rows.ts';
import { withStage } from './stage.ts';
import { type Measured, table } from './table.ts';

const usage = `npm run bench [-- NAME… --json]

Measures Posthorn on this machine: ${rows.map(({ name }) => name).join(', ')}.
The table goes to stdout (with --json the figures do), both go to bench/results.
`;

/** Measures the rows that were asked for, all of them unless told. Exit code 1 when one failed, 2 for wrong usage. */
async function main(): Promise<number> {
  const { chosen, json } = chooseRows(process.argv.slice(2));
  const signal = stopSignal();
  const startedAt = new Date();
  const machine = await withStage('machine', signal, describeMachine);
  const measured: Measured[] = [];
  for (const row of chosen) {
    if (!signal.aborted) measured.push(await measure(row, signal));
  }
  await report({ startedAt, machine, measured, json });
  return measured.some(({ error }) => error !== null) ? 1 : 0;
}

/** Ends the process with code 2 where the arguments make no sense. */
function chooseRows(args: string[]): { chosen: Row[]; json: boolean } {
  try {
    const options = { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const unknown = positionals.find((name) => !rows.some((row) => row.name === name));
    if (unknown !== undefined) throw new Error(`There is no row ${JSON.stringify(unknown)}.`);
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return {
      chosen: rows.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
      json: values.json,
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

async function measure(row: Row, signal: AbortSignal): Promise<Measured> {
  const { name, work } = row;
  try {
    const figures = await withStage(name, signal, (stage) => row.measure(stage));
    return { row: name, work, figures, error: null };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${name}: ${error instanceof Error ? (error.stack ?? message) : message}\n`);
    return { row: name, work, figures: [], error: message.split('\n', 1)[0] ?? message };
  }
}

interface Report {
  startedAt: Date;
  machine: Machine;
  measured: Measured[];
  json: boolean;
}

async function report({ startedAt, machine, measured, json }: Report): Promise<void> {
  const text = `${JSON.stringify({ started_at: startedAt.toISOString(), machine, rows: measured }, null, 2)}\n`;
  const folder = join(packageRoot, 'bench', 'results');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${startedAt.toISOString().replaceAll(':', '-')}.json`), text);
  process.stdout.write(json ? text : table(measured, machine));
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

process.exitCode = await main();
