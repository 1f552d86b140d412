import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import Database from 'better-sqlite3';

/**
 * Loaded into a server before it starts (`--import`). In its writer's thread every commit takes 5 ms longer, as on a slow
 * disk. The main thread counts how late its event loop is: from the first SIGUSR2 on, until the second, which prints it.
 */
const commitMs = 5;
const resolutionMs = 1;

if (isMainThread) watchDelay();
else slowCommits();

function slowCommits(): void {
  const db = new Database(':memory:');
  const statements = Object.getPrototypeOf(db.prepare('select 1')) as Pick<Database.Statement, 'run'>;
  db.close();
  const run = statements.run;
  const clock = new Int32Array(new SharedArrayBuffer(4));
  let told = false;
  statements.run = function slowly(this: Database.Statement, ...parameters: unknown[]) {
    if (this.source === 'commit') {
      Atomics.wait(clock, 0, 0, commitMs);
      if (!told) process.stderr.write('commits are slowed\n');
      told = true;
    }
    return run.apply(this, parameters);
  };
}

function watchDelay(): void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  process.once('SIGUSR2', () => {
    delay.enable();
    process.once('SIGUSR2', () => {
      delay.disable();
      // The histogram counts the timer's own period too.
      const p99Ms = Math.max(0, delay.percentile(99) / 1e6 - resolutionMs);
      process.stderr.write(`event-loop delay p99: ${p99Ms} ms\n`);
    });
  });
}
