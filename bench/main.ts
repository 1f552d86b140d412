import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { profiling } from './profile.ts';
import { type Measured, writeResults } from './results.ts';
import type { Row } from './row.ts';
import { rows } from './rows.ts';
import { withStage } from './stage.ts';
import { table } from './table.ts';

const usage = `npm run bench [-- NAME… --json --keep --profile]

Measures Posthorn on this machine: ${rows.map(({ name }) => name).join(', ')}.
The table goes to stdout (with --json the figures do). A run of all rows is kept in bench/results, where npm run docs finds
it; a run of some in bench/results/some, unless --keep says that it is to be found too. With --profile the threads of the servers are profiled, which slows them: the
functions that took most time go to stderr, the profiles to bench/results/profiles.
`;

interface Chosen {
  rows: Row[];
  json: boolean;
  keep: boolean;
  profile: boolean;
}

/** Measures the rows that were asked for, all of them unless told. Exit code 1 when one failed, 2 for wrong usage. */
async function main(): Promise<number> {
  const chosen = choose(process.argv.slice(2));
  const signal = stopSignal();
  const startedAt = new Date();
  const machine = await withStage('machine', signal, describeMachine);
  const measured: Measured[] = [];
  for (const row of chosen.rows) {
    if (!signal.aborted) measured.push(await measure(row, signal, chosen.profile));
  }
  // What a profile slows and what was cut short are no figures of this machine.
  const kept = (chosen.keep || measured.length === rows.length) && !chosen.profile && !signal.aborted;
  const text = await writeResults({ started_at: startedAt.toISOString(), machine, rows: measured }, kept);
  process.stdout.write(chosen.json ? text : table(measured, machine));
  return measured.some(({ error }) => error !== null) ? 1 : 0;
}

/** Ends the process with code 2 where the arguments make no sense. */
function choose(args: string[]): Chosen {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const options = { json: flag, keep: flag, profile: flag, help: flag };
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const unknown = positionals.find((name) => !rows.some((row) => row.name === name));
    if (unknown !== undefined) throw new Error(`There is no row ${JSON.stringify(unknown)}.`);
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const chosen = rows.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
    return { rows: chosen, json: values.json, keep: values.keep, profile: values.profile };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

async function measure(row: Row, signal: AbortSignal, profile: boolean): Promise<Measured> {
  const { name, work, bound = null } = row;
  const notes: string[] = [];
  const run = () => withStage(name, signal, (stage) => row.measure(stage), notes);
  try {
    const figures = await (profile ? profiling(name, run) : run());
    return { row: name, work, bound, figures, notes, error: null };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${name}: ${error instanceof Error ? (error.stack ?? message) : message}\n`);
    return { row: name, work, bound, figures: [], notes, error: message.split('\n', 1)[0] ?? message };
  }
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

process.exitCode = await main();
