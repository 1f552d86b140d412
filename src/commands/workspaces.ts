import { Command } from 'commander';
import { withPosthorn } from './local.ts';
import { table, type Terminal } from './terminal.ts';

export function workspaces(terminal: Terminal): Command {
  return new Command('workspaces')
    .addCommand(create(terminal).description('make a workspace'))
    .addCommand(list(terminal).description('show the workspaces'))
    .addHelpText(
      'after',
      `
A workspace is a tenant: its endpoints, events and keys are invisible to every other.

Examples:
  posthorn workspaces create acme
  posthorn keys create "acme backend" --workspace acme`,
    );
}

function create(terminal: Terminal): Command {
  return new Command('create')
    .argument('<name>', 'letters, digits, dots, hyphens and underscores')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', '\nExamples:\n  posthorn workspaces create acme')
    .action(async (name: string, options: { json?: true }) => {
      const made = await withPosthorn(({ operator }) => operator.createWorkspace(name));
      terminal.out(options.json ? JSON.stringify(made) : `${terminal.paint('bold', made.name)} ${made.id}`);
    });
}

function list(terminal: Terminal): Command {
  return new Command('list')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', '\nExamples:\n  posthorn workspaces list --json')
    .action(async (options: { json?: true }) => {
      const found = await withPosthorn(({ operator }) => operator.workspaces());
      if (options.json) return terminal.out(JSON.stringify({ workspaces: found }));
      const rows = found.map(({ id, name, created_at }) => [id, created_at, name]);
      for (const line of table(terminal.paint, ['ID', 'CREATED', 'NAME'], rows)) terminal.out(line);
    });
}
