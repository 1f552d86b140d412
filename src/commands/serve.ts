import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { bindError } from './bind-error.ts';
import type { Terminal } from './terminal.ts';
import { warnings } from './warnings.ts';

export function serve(terminal: Terminal): Command {
  return new Command('serve')
    .addHelpText(
      'after',
      `
MCP at /mcp, REST at /v1, health at /healthz and /readyz; the dispatcher runs inside.
The first start makes the workspace "default" and an admin key, which it prints once.

Examples:
  posthorn serve
  PORT=9000 POSTHORN_LOG_LEVEL=warn posthorn serve
  POSTHORN_ALLOW_TARGETS=127.0.0.0/8 posthorn serve           call receivers on this machine
  DATABASE_URL=postgres://… POSTHORN_SECRET_KEY=… posthorn serve`,
    )
    .action(() => run(terminal));
}

async function run(terminal: Terminal): Promise<void> {
  const config = loadConfig();
  for (const line of warnings(config)) terminal.err(terminal.paintErr('yellow', line));
  const { createPosthorn } = await import('../app.ts');
  const signal = terminal.stopSignal();
  const posthorn = await createPosthorn(config);
  try {
    const { url } = await posthorn.listen().catch((error: unknown) => {
      throw bindError(error, (port) => `PORT=${port}`);
    });
    await posthorn.startDispatcher();
    // Last: a start that fails must not leave a first key behind that nobody was shown.
    const { key } = await posthorn.core.bootstrap();
    boundHeap();
    terminal.err(`${terminal.paintErr('bold', 'Posthorn')} listening on ${url}`);
    terminal.err(terminal.paintErr('dim', `  MCP ${url}/mcp   REST ${url}/v1`));
    if (key !== null) terminal.err(firstKey(terminal, key));
    const end = AbortSignal.any([signal, posthorn.broken]);
    if (!end.aborted) await once(end, 'abort');
    posthorn.broken.throwIfAborted();
  } finally {
    await posthorn.stop();
  }
}

/**
 * By itself V8 takes memory by what the machine has: with 24 GiB the young generation grows to 130 MB, and garbage fills the
 * old one for minutes before it is looked for. What the young one has come to during the start, some 34 MB, is enough; the
 * old one is cleared when it has doubled. Their maxima cannot be set any more once V8 runs, but growing reads these.
 */
function boundHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=100');
}

function firstKey(terminal: Terminal, key: string): string {
  const shown = terminal.paintErr('green', key);
  return `No key existed, so here is one with every scope on the workspace "default". It is shown this once:\n  ${shown}`;
}
