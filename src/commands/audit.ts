import { Command } from 'commander';
import type { AuditRow, AuditVerdict } from '../core/types.ts';
import { withPosthorn } from './local.ts';
import { Failed, oneLine, table, type Terminal } from './terminal.ts';

interface Options {
  workspace?: string;
  json?: true;
}

export function audit(terminal: Terminal): Command {
  return new Command('audit')
    .addCommand(verify(terminal).description('check that no row is missing or changed'))
    .addCommand(list(terminal).description('show the newest changes'))
    .addHelpText(
      'after',
      `
Every change that people and agents make is a row, and each row holds the hash of the one before it.

Examples:
  posthorn audit verify
  posthorn audit list --workspace acme`,
    );
}

function verify(terminal: Terminal): Command {
  return new Command('verify')
    .option('--workspace <name>', 'only this one (default: every workspace)')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      `
Exit code 1 when a row is missing, changed or added; the first such row is named. Whoever can write the whole database can
also write the whole log anew: keep the last hash elsewhere, from time to time, to see that too.

Examples:
  posthorn audit verify
  posthorn audit verify --workspace acme
  posthorn audit verify --json >> /elsewhere/audit-heads.jsonl`,
    )
    .action(async ({ workspace, json }: Options) => {
      const verdicts = await withPosthorn(({ operator }) => operator.verifyAudit(workspace));
      const isWhole = verdicts.every(({ broken }) => broken === null);
      if (json) terminal.out(JSON.stringify({ whole: isWhole, workspaces: verdicts }));
      else for (const verdict of verdicts) terminal.out(lineOf(terminal, verdict));
      if (!isWhole) throw new Failed('broken');
    });
}

function lineOf({ paint }: Terminal, { workspace, workspace_id, rows, hash, broken }: AuditVerdict): string {
  const name = `${oneLine(workspace)} (${workspace_id})`;
  if (broken !== null) return `${paint('red', '✗')} ${name}: row ${broken.seq} ${faults[broken.fault]}`;
  return `${paint('green', '✓')} ${name}: ${rows} ${rows === 1 ? 'row' : 'rows'}, ending in ${hash}`;
}

const faults = {
  missing: 'is missing',
  changed: 'is not as it was written',
  added: 'was added behind the end',
};

function list(terminal: Terminal): Command {
  return new Command('list')
    .option('--workspace <name>', 'whose changes (default: "default")')
    .option('--json', 'print the rows as JSON')
    .addHelpText(
      'after',
      `
Shows the newest 50. GET /v1/audit has all of them, with filters.

Examples:
  posthorn audit list
  posthorn audit list --json`,
    )
    .action(async ({ workspace, json }: Options) => {
      const { data } = await withPosthorn(async ({ core, operator }) =>
        core.listAudit(await operator.principal(workspace), {}),
      );
      if (json) return terminal.out(JSON.stringify({ audit: data }));
      const headings = ['ROW', 'WHEN', 'WHO', 'THROUGH', 'WHAT', 'OF'];
      for (const line of table(terminal.paint, headings, data.map(cellsOf))) terminal.out(line);
    });
}

function cellsOf({ seq, created_at, principal, face, client, action, target_id }: AuditRow): string[] {
  const who = principal.key_id ?? principal.kind;
  return [String(seq), created_at, who, client === null ? face : `${face} ${client}`, action, target_id].map(oneLine);
}
