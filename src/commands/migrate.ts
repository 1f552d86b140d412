import { Command } from 'commander';
import { withPosthorn } from './local.ts';
import type { Terminal } from './terminal.ts';

export function migrate(terminal: Terminal): Command {
  return new Command('migrate')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      `
Every start does this by itself. On its own it is for those who let nothing change tables while serving.

Examples:
  posthorn migrate
  DATABASE_URL=postgres://posthorn@db/posthorn posthorn migrate --json`,
    )
    .action(async (options: { json?: true }) => {
      const engine = await withPosthorn(async (posthorn) => posthorn.engine);
      terminal.out(
        options.json ? JSON.stringify({ engine, up_to_date: true }) : `The tables (${engine}) are up to date.`,
      );
    });
}
