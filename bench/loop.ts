import { fileURLToPath } from 'node:url';
import { childEnvironment, startChild } from './child.ts';
import type { SenderWork } from './signed-sender.ts';
import type { Stage } from './stage.ts';

const program = fileURLToPath(new URL('./loop-process.ts', import.meta.url));

/** What the loop is to do. `concurrency`: requests in flight; `data`: JSON text. */
export interface LoopWork extends SenderWork {
  requests: number;
  data: string;
}

/**
 * *The loop*: what delivering costs without a store. A process of its own, as Posthorn is, signs and sends the same
 * requests. Answers the seconds from the first request to the last answer.
 */
export async function runLoop(stage: Stage, work: LoopWork): Promise<number> {
  const child = startChild(process.execPath, [program, JSON.stringify(work)], { environment: childEnvironment({}) });
  stage.later(() => child.stop());
  const [, seconds] = await child.says('stdout', /^seconds: ([\d.]+)\n/m);
  await child.ended;
  return Number(seconds);
}
