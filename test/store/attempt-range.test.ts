import { describe, expect, it } from 'vitest';
import { engines, useDatabase } from '../support/stores.ts';
import { deliver, second, seedEndpoint, seedWorkspace, t0 } from './seed.ts';

const minute = 60 * second;

describe.each(engines)('the log of a time on $name', (engine) => {
  const on = useDatabase(engine);

  /** Attempts that began at these minutes, recorded in this order. */
  async function seedAttempts(...minutes: number[]) {
    const workspaceId = await seedWorkspace(on.store);
    const endpoint = await seedEndpoint(on.store, workspaceId);
    for (const each of minutes) await deliver(on.store, endpoint, { at: t0 + each * minute }, t0);
    return async (since?: number, until?: number, recordedWithinMs?: number) => {
      const rows = (
        await on.store.records.attempts(workspaceId, {
          ...(since === undefined ? {} : { since: t0 + since * minute }),
          ...(until === undefined ? {} : { until: t0 + until * minute }),
          ...(recordedWithinMs === undefined ? {} : { recordedWithinMs }),
          limit: 100,
          withExcerpt: false,
        })
      ).rows;
      return rows.map(({ startedAt }) => (startedAt - t0) / minute).toReversed();
    };
  }

  it('is the same as looking at every attempt', async () => {
    const all = [0, 1, 2, 2, 3, 5, 8, 8, 8, 9, 12];
    const log = await seedAttempts(...all);
    for (const since of [undefined, -5, 0, 2, 2.5, 8, 12, 20]) {
      for (const until of [undefined, -5, 0, 2, 2.5, 8, 13, 20]) {
        const expected = all.filter((each) => each >= (since ?? -99) && each < (until ?? 99));
        expect(await log(since, until)).toEqual(expected);
      }
    }
  });

  it('has those that were recorded late', async () => {
    const log = await seedAttempts(0, 10, 4, 11, 9, 20, 30);
    expect(await log(4, 10, 7 * minute)).toEqual([4, 9]);
    expect(await log(0, 5, 7 * minute)).toEqual([0, 4]);
  });

  it('is empty where there are no attempts', async () => {
    const log = await seedAttempts();
    expect(await log(0, 5)).toEqual([]);
  });

  it('looks at no attempt that is far from it', async () => {
    // One that broke the order by more than is allowed for is missed: so far, nothing is looked at.
    const log = await seedAttempts(0, 1, 2, 30, 31, 32, 1);
    expect(await log(0, 2, minute)).toEqual([0, 1]);
  });
});
