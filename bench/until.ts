import { setTimeout as pause } from 'node:timers/promises';

/** Asks again every `everyMs` until the answer is not null. Throws after `msMax`, naming what it waited for. */
export async function until<T>(
  what: string,
  { everyMs, msMax }: { everyMs: number; msMax: number },
  ask: () => Promise<T | null>,
): Promise<T> {
  const endAt = performance.now() + msMax;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > endAt) throw new Error(`waited ${msMax / 1_000} s in vain for ${what}`);
    await pause(everyMs);
  }
}
