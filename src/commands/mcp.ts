import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import type { Terminal } from './terminal.ts';
import { warnings } from './warnings.ts';

export function mcp(terminal: Terminal): Command {
  return new Command('mcp')
    .addHelpText(
      'after',
      `
For an MCP client to start. It speaks the protocol on stdin and stdout, delivers by itself, and ends with its client.
POSTHORN_API_KEY says who asks; without it a local user who may do everything but approve, make keys and read payloads.
POSTHORN_TOOLS says which tools there are: those for subscriptions and events unless told, also for configs and automations.

Examples:
  posthorn mcp
  POSTHORN_TOOLS=subscriptions POSTHORN_READ_ONLY=1 posthorn mcp
  claude mcp add posthorn --env DATABASE_URL=file:~/.posthorn/posthorn.db -- npx -y posthorn mcp`,
    )
    .action(() => run(terminal));
}

async function run(terminal: Terminal): Promise<void> {
  const config = loadConfig(undefined, { binds: false });
  for (const line of warnings(config)) terminal.err(line);
  const signal = terminal.stopSignal();
  const { serveLocally } = await import('../app-stdio.ts');
  await serveLocally(config, signal);
}
