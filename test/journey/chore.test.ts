import { describe, expect, it } from 'vitest';
import { Chore } from '../../src/core/journey/chore.ts';
import type { Ports } from '../../src/core/ports/ports.ts';
import { FakeClock } from '../support/fake-clock.ts';

const ignore = () => {};
const log: Ports['log'] = { debug: ignore, info: ignore, warn: ignore, error: ignore };

describe('a chore', () => {
  it('is done from time to time, also once the clock was set back by an hour', async () => {
    const clock = new FakeClock();
    const ran: number[] = [];
    const chore = new Chore(
      { clock, log },
      { name: 'pruning', everyMs: 1_000, run: async (now) => void ran.push(now) },
    );
    const began = clock.now();
    const tickAfter = async (ms: number) => {
      clock.advance(ms);
      await chore.tick(() => true);
    };
    await tickAfter(0);
    await tickAfter(999);
    expect(ran).toEqual([began]);
    await tickAfter(1);
    clock.setBack(3_600_000);
    await tickAfter(999);
    expect(ran).toEqual([began, began + 1_000]);
    await tickAfter(1);
    expect(ran).toEqual([began, began + 1_000, began + 2_000 - 3_600_000]);
  });
});
