import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { plant } from './plant.ts';
import { planted } from './planted.ts';

const usage = `npm run test:sim                    5,000 seeds from a new one on
npm run test:sim -- --seeds 20000    more of them
npm run test:sim -- --seed 42        one seed with its trace; SEED=42 does the same
npm run test:sim -- --planted        each planted bug, until a seed finds it
`;

/** Within so many seeds, every planted bug must be found. */
const plantedSeedsMax = 1_000;
const partSeeds = 100;

interface Part {
  from: number;
  count: number;
  bug: number | null;
}
interface PartResult {
  runs: number;
  requests: number;
  failed: { seed: number; faults: string[] }[];
}

if (process.send === undefined) await main();
else process.once('message', (part: Part) => void runPart(part));

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '5000' },
      from: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      planted: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const seed = values.seed ?? process.env['SEED'];
  if (values.help) process.stdout.write(usage);
  else if (values.planted) process.exitCode = (await findPlanted()) ? 0 : 1;
  else if (seed !== undefined) process.exitCode = (await replay(Number(seed))) ? 0 : 1;
  else process.exitCode = (await search(Number(values.from), Number(values.seeds))) ? 0 : 1;
}

async function replay(seed: number): Promise<boolean> {
  const { runSeed } = await import('./run.ts');
  const { trace, faults } = await runSeed(seed);
  process.stdout.write(`${trace.join('\n')}\n${faults.length === 0 ? `seed ${seed} holds` : faults.join('\n')}\n`);
  return faults.length === 0;
}

/** Runs seeds on every core; tells of those that fail. */
async function search(from: number, count: number): Promise<boolean> {
  const began = performance.now();
  let next = from;
  let runs = 0;
  let requests = 0;
  let failed = 0;
  const work = async (): Promise<void> => {
    while (next < from + count) {
      const part = { from: next, count: Math.min(partSeeds * 5, from + count - next), bug: null };
      next += part.count;
      const result = await inProcess(part);
      runs += result.runs;
      requests += result.requests;
      for (const { seed, faults } of result.failed) {
        failed++;
        process.stdout.write(
          `seed ${seed} fails; npm run test:sim -- --seed ${seed} replays it\n  ${faults.join('\n  ')}\n`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const seconds = (performance.now() - began) / 1_000;
  const pace = `${seconds.toFixed(1)} s, ${Math.round(runs / seconds)} seeds/s`;
  process.stdout.write(`${runs} seeds from ${from} on, ${requests} requests, ${failed} failed (${pace})\n`);
  return failed === 0;
}

/** Plants each bug and looks for a seed that finds it. */
async function findPlanted(): Promise<boolean> {
  const bugs = planted.keys();
  let missed = 0;
  const work = async (): Promise<void> => {
    for (const bug of bugs) {
      const found = await findBug(bug);
      if (found === null) missed++;
      const told =
        found === null ? `NOT FOUND in ${plantedSeedsMax} seeds` : `seed ${found.seed}: ${found.faults[0] ?? ''}`;
      process.stdout.write(`${planted[bug]?.name ?? ''}\n  ${told}\n`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  process.stdout.write(`${planted.length - missed} of ${planted.length} planted bugs were found\n`);
  return missed === 0;
}

async function findBug(bug: number): Promise<PartResult['failed'][0] | null> {
  const { failed } = await inProcess({ from: 1, count: plantedSeedsMax, bug });
  return failed[0] ?? null;
}

/** In a process of its own, since what is loaded once stays as it is. */
function inProcess(part: Part): Promise<PartResult> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename);
    child.once('message', (result: PartResult) => resolve(result));
    child.once('exit', (code) => reject(new Error(`the seeds from ${part.from} on ended with ${code}`)));
    child.send(part);
  });
}

async function runPart({ from, count, bug }: Part): Promise<void> {
  const one = bug === null ? undefined : planted[bug];
  if (one !== undefined) plant(one);
  const { runSeed } = await import('./run.ts');
  const result: PartResult = { runs: 0, requests: 0, failed: [] };
  for (let seed = from; seed < from + count; seed++) {
    // One seed is enough to find a planted bug.
    if (bug !== null && result.failed.length > 0) break;
    const { faults, requests } = await runSeed(seed);
    result.runs++;
    result.requests += requests;
    if (faults.length > 0) result.failed.push({ seed, faults });
  }
  process.send?.(result, () => process.disconnect());
}
