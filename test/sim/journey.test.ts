import { describe, expect, it } from 'vitest';
import { withBug } from './plant.ts';
import { planted } from './planted.ts';
import { runSeed } from './run.ts';

/** Long enough to find most planted bugs; `npm run test:sim` looks at thousands. */
const seeds = 25;

describe('the simulated journey', () => {
  it('keeps its promises, whatever fails', async () => {
    const first = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
    let requests = 0;
    for (let seed = first; seed < first + seeds; seed++) {
      const run = await runSeed(seed);
      requests += run.requests;
      expect(run.faults, `npm run test:sim -- --seed ${seed} replays it`).toEqual([]);
    }
    expect(requests).toBeGreaterThan(seeds * 5);
  }, 60_000);

  it('does the same for the same seed', async () => {
    const [once, again] = [await runSeed(4), await runSeed(4)];
    expect(again.trace).toEqual(once.trace);
    expect(once.trace.length).toBeGreaterThan(20);
  });

  it('has bugs to find: the place of each planted one is there', () => {
    expect(planted.length).toBeGreaterThanOrEqual(10);
    for (const bug of planted) expect(withBug(bug)).toContain(bug.becomes);
  });
});
