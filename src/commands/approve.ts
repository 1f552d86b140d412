import { Command } from 'commander';
import { withPosthorn } from './local.ts';
import { oneLine, type Terminal } from './terminal.ts';

interface Options {
  url?: string;
  workspace?: string;
  json?: true;
}

export function approve(terminal: Terminal): Command {
  return new Command('approve')
    .argument('<id>', 'the subscription or webhook config that waits, sub_… or cfg_…')
    .option('--url <url>', 'the URL that you looked at: refused when it is another one by now')
    .option('--workspace <name>', 'whose endpoint it is (default: "default")')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      `
With POSTHORN_NEW_HOSTS=approve an endpoint on a host new to its workspace waits as pending_approval until somebody lets
it receive. GET /v1/webhooks/subscriptions?status=pending_approval lists those that wait, and /v1/webhooks/configs likewise.

Examples:
  posthorn approve sub_01k… --url https://hooks.example.com/in
  posthorn approve sub_01k… --workspace acme --json`,
    )
    .action((id: string, options: Options) => run(terminal, id, options));
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
