import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { inProcess, type PartResult } from './part.ts';
import { planted } from './planted.ts';

const usage = `npm run test:sim                    5,000 seeds from a new one on
npm run test:sim -- --seeds 20000    more of them
npm run test:sim -- --seed 42        one seed with its trace; SEED=42 does the same
npm run test:sim -- --planted        each planted bug, until a seed finds it
npm run test:sim -- --planted --only wide  those whose name holds the word
npm run test:sim -- --jobs 1         in so many processes; as many as there are cores unless told
`;

/** Within so many seeds, every planted bug must be found. */
const plantedSeedsMax = 1_000;
const partSeeds = 100;

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '5000' },
      from: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      planted: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      help: { type: 'boolean', default: false },
    },
  });
  const seed = values.seed ?? process.env['SEED'];
  if (values.help) process.stdout.write(usage);
  else if (values.planted) process.exitCode = (await findPlanted(values.only, Number(values.jobs))) ? 0 : 1;
  else if (seed !== undefined) process.exitCode = (await replay(Number(seed))) ? 0 : 1;
  else process.exitCode = (await search(Number(values.from), Number(values.seeds), Number(values.jobs))) ? 0 : 1;
}

async function replay(seed: number): Promise<boolean> {
  const { runSeed } = await import('./run.ts');
  const { trace, faults } = await runSeed(seed);
  process.stdout.write(`${trace.join('\n')}\n${faults.length === 0 ? `seed ${seed} holds` : faults.join('\n')}\n`);
  return faults.length === 0;
}

/** Runs seeds on every core; tells of those that fail. */
async function search(from: number, count: number, jobs: number): Promise<boolean> {
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
  await Promise.all(Array.from({ length: jobs }, work));
  const seconds = (performance.now() - began) / 1_000;
  const pace = `${seconds.toFixed(1)} s, ${Math.round(runs / seconds)} seeds/s`;
  process.stdout.write(`${runs} seeds from ${from} on, ${requests} requests, ${failed} failed (${pace})\n`);
  return failed === 0;
}

/** Plants each bug and looks for a seed that finds it. */
async function findPlanted(only: string, jobs: number): Promise<boolean> {
  const chosen = [...planted.keys()].filter((bug) => planted[bug]?.name.includes(only));
  const bugs = chosen.values();
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
  await Promise.all(Array.from({ length: jobs }, work));
  process.stdout.write(`${chosen.length - missed} of ${chosen.length} planted bugs were found\n`);
  return missed === 0;
}

async function findBug(bug: number): Promise<PartResult['failed'][0] | null> {
  const { failed } = await inProcess({ from: 1, count: plantedSeedsMax, bug });
  return failed[0] ?? null;
}
