import type { Part, PartResult } from './part.ts';
import { plant } from './plant.ts';
import { planted } from './planted.ts';

/** The process that `inProcess` starts. */
process.once('message', (part: Part) => void runPart(part));

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
