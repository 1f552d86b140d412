import { describe, expect, it } from 'vitest';
import { PosthornError } from '../../src/core/errors.ts';
import { recordTest } from '../../src/core/manage/record-test.ts';
import type { TestRecord } from '../../src/core/ports/journey-store.ts';
import type { Ports, Store } from '../../src/core/ports/ports.ts';
import { newTest, seedEndpoint, seedWorkspace } from '../store/seed.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { engines, useDatabase } from '../support/stores.ts';
import { until } from '../support/until.ts';

describe.each(engines)('recording a test that was sent, on $name', (engine) => {
  const on = useDatabase(engine);
  const ignore = () => {};
  const log: Ports['log'] = { debug: ignore, info: ignore, warn: ignore, error: ignore };

  /** A store that answers the first tries with failures, before or after it has stored the test. */
  function failing(tries: ('before' | 'after')[]): Store {
    return {
      ...on.store,
      journey: {
        ...on.store.journey,
        async recordTest(test) {
          const fails = tries.shift();
          const unavailable = new PosthornError('store_unavailable', 'Whether it was stored is not known.');
          if (fails === 'before') throw unavailable;
          const attempt = await on.store.journey.recordTest(test);
          if (fails === 'after') throw unavailable;
          return attempt;
        },
      },
    };
  }

  async function seed(): Promise<TestRecord> {
    const endpoint = await seedEndpoint(on.store, await seedWorkspace(on.store));
    return { ...newTest(endpoint, { excerpt: Buffer.from('thanks') }), eventPublicId: 'evt_test' };
  }

  it('answers with what was stored after all by a try whose outcome was not known', async () => {
    const test = await seed();
    const answer = await recordTest({ store: failing(['after']), clock: new FakeClock(), log }, test);
    const { rows } = await on.store.records.attempts(test.workspaceId, { limit: 10, withExcerpt: true });
    expect(rows).toEqual([answer]);
    expect(answer.excerpt?.toString()).toBe('thanks');
  });

  it('meets it where it could not be seen before the next try', async () => {
    const test = await seed();
    const store = failing(['after']);
    let looks = 0;
    const { event } = store.records;
    const late: Store['records'] = { ...store.records, event: async (...of) => (looks++ === 0 ? null : event(...of)) };
    const clock = new FakeClock();
    const recording = recordTest({ store: { ...store, records: late }, clock, log }, test);
    await until(() => {
      clock.advance(1_000);
      return looks === 2;
    });
    expect(await recording).toMatchObject({ eventPublicId: 'evt_test' });
  });

  it('tries again where nothing was stored', async () => {
    const test = await seed();
    const clock = new FakeClock();
    let tries = 0;
    const store = failing(['before']);
    const { recordTest: record } = store.journey;
    const counted: Store['journey'] = {
      ...store.journey,
      recordTest(of) {
        tries++;
        return record(of);
      },
    };
    const recording = recordTest({ store: { ...store, journey: counted }, clock, log }, test);
    await until(() => {
      clock.advance(1_000);
      return tries === 2;
    });
    const answer = await recording;
    const { rows } = await on.store.records.attempts(test.workspaceId, { limit: 10, withExcerpt: true });
    expect(rows).toEqual([answer]);
  });
});
