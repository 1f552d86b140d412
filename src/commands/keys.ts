import { Command, InvalidArgumentError, Option } from 'commander';
import type { Core } from '../core/core.ts';
import type { ApiKey, Principal } from '../core/types.ts';
import { type Scope, scopes } from '../core/vocabulary.ts';
import { agentScopes, peoplesScopes } from '../core/vocabulary.ts';
import { everyPage } from './every-page.ts';
import { withPosthorn } from './local.ts';
import { oneLine, table, type Terminal } from './terminal.ts';

interface CommonOptions {
  workspace?: string;
  json?: true;
}

export function keys(terminal: Terminal): Command {
  return new Command('keys')
    .addCommand(create(terminal).description('make a key'))
    .addCommand(list(terminal).description('show the keys'))
    .addCommand(revoke(terminal).description('make a key useless at once'))
    .addHelpText(
      'after',
      `
Examples:
  posthorn keys create "claude desktop"
  posthorn keys list
  posthorn keys revoke key_01k…`,
    );
}

function create(terminal: Terminal): Command {
  return common(new Command('create'))
    .argument('<name>', 'what it is for, so that you know it again')
    .addOption(
      new Option('--scopes <scopes>', `comma-separated: ${scopes.join(', ')}; or all`)
        .argParser(parseScopes)
        .default([...agentScopes], "an agent's"),
    )
    .option('--expires-in <duration>', 'such as 90d; it never expires when left out')
    .addHelpText(
      'after',
      `
Without --scopes it holds what an agent needs: everything but ${peoplesScopes.join(', ')}.
The key is shown this once.

Examples:
  posthorn keys create "claude desktop"
  posthorn keys create publisher --scopes events:write --expires-in 365d
  posthorn keys create operator --scopes all --json`,
    )
    .action(async (name: string, options: CommonOptions & { scopes: Scope[]; expiresIn?: string }) => {
      const input = { name, scopes: options.scopes, ...(options.expiresIn && { expires_in: options.expiresIn }) };
      const made = await acting(options, (core, principal) => core.createKey(principal, input));
      if (options.json) return terminal.out(JSON.stringify(made));
      terminal.out(made.key);
      terminal.err(`${made.id} with ${made.scopes.join(', ')}. The key above is shown this once.`);
    });
}

function list(terminal: Terminal): Command {
  return common(new Command('list'))
    .addHelpText('after', '\nExamples:\n  posthorn keys list\n  posthorn keys list --workspace acme --json')
    .action(async (options: CommonOptions) => {
      const found = await acting(options, (core, principal) => everyPage((paging) => core.listKeys(principal, paging)));
      if (options.json) return terminal.out(JSON.stringify({ keys: found }));
      if (found.length === 0) return terminal.err('There is no key yet: "posthorn keys create NAME" makes one.');
      const rows = found.map((key) => [
        key.id,
        `…${key.last4}`,
        stateOf(key, Date.now()),
        key.last_used_at ?? 'never used',
        oneLine(key.name),
      ]);
      for (const line of table(terminal.paint, ['ID', 'ENDS IN', 'STATE', 'LAST USED', 'NAME'], rows))
        terminal.out(line);
    });
}

function revoke(terminal: Terminal): Command {
  return common(new Command('revoke'))
    .argument('<id>', 'the id that "keys list" shows')
    .addHelpText('after', '\nExamples:\n  posthorn keys revoke key_01k…')
    .action(async (id: string, options: CommonOptions) => {
      const revoked = await acting(options, (core, principal) => core.revokeKey(principal, { key_id: id }));
      if (options.json) return terminal.out(JSON.stringify(revoked));
      terminal.out(`${oneLine(id)} is revoked.`);
    });
}

function common(command: Command): Command {
  return command
    .option('--workspace <name>', 'whose keys (default: "default")')
    .option('--json', 'print the answer as JSON');
}

function acting<T>(options: CommonOptions, work: (core: Core, principal: Principal) => Promise<T>): Promise<T> {
  return withPosthorn(async ({ core, operator }) => work(core, await operator.principal(options.workspace)));
}

function stateOf(key: ApiKey, now: number): string {
  if (key.revoked_at !== null) return 'revoked';
  if (key.expires_at === null) return 'valid';
  return Date.parse(key.expires_at) <= now ? 'expired' : `until ${key.expires_at.slice(0, 10)}`;
}

function parseScopes(text: string): Scope[] {
  if (text === 'all') return [...scopes];
  return text.split(',').map((part) => {
    const scope = scopes.find((each) => each === part.trim());
    if (scope === undefined) {
      throw new InvalidArgumentError(`"${part.trim()}" is not a scope: use all, or some of ${scopes.join(', ')}.`);
    }
    return scope;
  });
}
