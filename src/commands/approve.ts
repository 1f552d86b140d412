import { Command } from 'commander';
import { everyPage } from './every-page.ts';
import { withPosthorn } from './local.ts';
import { oneLine, table, type Terminal } from './terminal.ts';

interface Options {
  list?: true;
  url?: string;
  workspace?: string;
  json?: true;
}

export function approve(terminal: Terminal): Command {
  return new Command('approve')
    .argument('[id]', 'the subscription or webhook config that waits, sub_… or cfg_…')
    .option('--list', 'show those that wait, and approve nothing')
    .option('--url <url>', 'the URL that you looked at: refused when it is another one by now')
    .option('--workspace <name>', 'whose endpoint it is (default: "default")')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      `
With POSTHORN_NEW_HOSTS=approve an endpoint on a host new to its workspace waits as pending_approval until somebody lets
it receive.

Examples:
  posthorn approve --list
  posthorn approve sub_01k… --url https://hooks.example.com/in
  posthorn approve sub_01k… --workspace acme --json`,
    )
    .action(async (id: string | undefined, options: Options, command: Command) => {
      if (options.list && id !== undefined) command.error('error: --list takes no id');
      if (options.list) return list(terminal, options);
      if (id === undefined) return command.error("error: missing required argument 'id'; --list shows those that wait");
      await run(terminal, id, options);
    });
}

async function list(terminal: Terminal, { workspace, json }: Options): Promise<void> {
  const pending = await withPosthorn(async ({ core, operator }) => {
    const principal = await operator.principal(workspace);
    const waiting = { status: 'pending_approval' };
    return [
      ...(await everyPage((paging) => core.listSubscriptions(principal, { ...waiting, ...paging }))),
      ...(await everyPage((paging) => core.listConfigs(principal, { ...waiting, ...paging }))),
    ];
  });
  if (json) return terminal.out(JSON.stringify({ pending }));
  if (pending.length === 0) return terminal.err('Nothing waits for approval.');
  const rows = pending.map(({ id, created_at, url }) => [id, created_at, oneLine(url)]);
  for (const line of table(terminal.paint, ['ID', 'CREATED', 'URL'], rows)) terminal.out(line);
}

async function run(terminal: Terminal, id: string, options: Options): Promise<void> {
  await withPosthorn(async ({ core, operator }) => {
    const principal = await operator.principal(options.workspace);
    const looked = options.url === undefined ? {} : { url: options.url };
    const isConfig = id.startsWith('cfg_');
    const input = isConfig ? { config_id: id } : { subscription_id: id };
    const { status: before } = await (isConfig ? core.getConfig : core.getSubscription)(principal, input);
    const approveIt = isConfig ? core.approveConfig : core.approveSubscription;
    const approved = await approveIt(principal, { ...input, ...looked });
    if (options.json) return terminal.out(JSON.stringify(approved));
    terminal.out(`${terminal.paint('bold', approved.id)} is ${approved.status}: ${oneLine(approved.url)}`);
    if (before !== 'pending_approval') terminal.err('It did not wait for approval: nothing was changed.');
  });
}
