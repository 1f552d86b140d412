import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Cleanup = () => Promise<void>;

/** What a row works on: a folder of its own, a way to say how far it is, and an end at which everything is put away. */
export interface Stage {
  readonly folder: string;
  /** One line for people who wait, on stderr. */
  progress(line: string): void;
  /** One sentence on what could not be measured here, and why; it is shown with the figures. */
  note(sentence: string): void;
  /** Runs at the row's end, whatever happened; the last one first. */
  later(cleanup: Cleanup): void;
}

/** Runs `work` on a new stage and puts everything away again, also when `signal` aborts in the middle. */
export async function withStage<T>(
  name: string,
  signal: AbortSignal,
  work: (stage: Stage) => Promise<T>,
  notes: string[] = [],
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-bench-'));
  const cleanups: Cleanup[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 3 })];
  const stage: Stage = {
    folder,
    progress: (line) => void process.stderr.write(`${name}: ${line}\n`),
    note(sentence) {
      notes.push(sentence);
      stage.progress(sentence);
    },
    later: (cleanup) => void cleanups.push(cleanup),
  };
  try {
    return await Promise.race([work(stage), aborted(signal)]);
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup().catch((error: unknown) => stage.progress(String(error)));
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(new Error('interrupted'));
    signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
}
