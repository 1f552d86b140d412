import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommand } from './commands/program.ts';
import { painter, type Terminal } from './commands/terminal.ts';

/** Runs the command line and ends the process. Signals and exit codes are owned here and nowhere else. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader such as "head" may leave before everything is printed, which is its right.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const code = await runCommand(argv.slice(2), processTerminal());
  // Windows writes to pipes later: what was printed has to leave before the process does.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(code);
}

function processTerminal(): Terminal {
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    paint: painter(process.stdout),
    paintErr: painter(process.stderr),
    stdin: process.stdin,
    stopSignal,
  };
}

/** Aborts at the first SIGINT or SIGTERM. From then on the next one ends the process as if nobody had listened. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(128 + number);
      controller.abort();
    });
  }
  return controller.signal;
}

const entry = process.argv[1];
if (entry !== undefined && realpathSync(entry) === fileURLToPath(import.meta.url)) await main(process.argv);
