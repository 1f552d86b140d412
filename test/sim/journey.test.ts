import { describe, expect, it } from 'vitest';
import { freshDatabase } from './database.ts';
import { inProcess } from './part.ts';
import { withBug } from './plant.ts';
import { planted } from './planted.ts';
import { runSeed } from './run.ts';

/** `npm run test:sim` looks at thousands. */
const seeds = 20;
/** Three of the planted bugs that a few seeds find; `npm run test:sim -- --planted` looks for all. */
const found = [
  'a settle that the database did not take is not repeated',
  'a claim clears the mark although more will be due',
  'publishing does not compare the version that it matched with',
];
const foundWithin = 40;

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

  it('finds nothing in the database that a run before it left', () => {
    freshDatabase().exec("insert into meta (name, value) values ('left', x'00')");
    const db = freshDatabase();
    const tables = db.prepare<[], string>("select name from sqlite_master where type = 'table'").pluck().all();
    const counts = tables.map((name) => db.prepare(`select count(*) from ${name}`).pluck().get());
    expect(counts).toEqual(tables.map(() => 0));
  });

  it('has bugs to find: the place of each planted one is there', () => {
    expect(planted.length).toBeGreaterThanOrEqual(15);
    for (const bug of planted) expect(withBug(bug)).toContain(bug.becomes);
  });

  it('is not blind: bugs that are planted are found', async () => {
    const blind = await Promise.all(
      found.map(async (name) => {
        const bug = planted.findIndex((one) => one.name === name);
        const { failed } = await inProcess({ from: 1, count: foundWithin, bug });
        return failed.length === 0 ? name : null;
      }),
    );
    expect(blind).toEqual(found.map(() => null));
  }, 60_000);
});
