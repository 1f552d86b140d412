import { fork } from 'node:child_process';
import { join } from 'node:path';

/** Some seeds, with one of the planted bugs or with none. */
export interface Part {
  from: number;
  count: number;
  /** Its place among the planted ones. */
  bug: number | null;
}
export interface PartResult {
  runs: number;
  requests: number;
  failed: { seed: number; faults: string[] }[];
}

/** Runs them in a process of its own, since what is loaded once stays as it is. With a bug, it ends at the first seed that finds it. */
export function inProcess(part: Part): Promise<PartResult> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'part-main.ts'), { execArgv: [] });
    child.once('message', (result: PartResult) => resolve(result));
    child.once('exit', (code) => reject(new Error(`the seeds from ${part.from} on ended with ${code}`)));
    child.send(part);
  });
}
