import { randomBytes } from 'node:crypto';
import type { Clock, Random } from './core/ports/ports.ts';

/** setTimeout fires at once when it is asked to wait for longer. */
const timerMsMax = 2 ** 31 - 1;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number) => {
      const stepMs = Math.min(Math.max(leftMs, 0), timerMsMax);
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : run()), stepMs);
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = {
  float: () => Math.random(),
  bytes: (count) => randomBytes(count),
};
