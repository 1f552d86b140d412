import { setTimeout as pause } from 'node:timers/promises';

/**
 * Calls `run` so many times a second for so long, each time when it is due and not when the one before has ended: whoever
 * waits for answers measures a slow server kindly. Those that a busy process comes late to are called at once.
 */
export async function steadily(perSecond: number, seconds: number, run: (index: number) => void): Promise<void> {
  const count = perSecond * seconds;
  const startedAt = performance.now();
  let index = 0;
  while (index < count) {
    const due = ((performance.now() - startedAt) / 1_000) * perSecond;
    while (index < Math.min(due, count)) run(index++);
    await pause(1);
  }
}
