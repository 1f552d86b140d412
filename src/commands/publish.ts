import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { givenPath } from '../config/given-path.ts';
import { limits } from '../core/inputs.ts';
import { withPosthorn } from './local.ts';
import { type Terminal, UsageError } from './terminal.ts';

interface Options {
  data: string;
  id?: string;
  workspace?: string;
  json?: true;
}

export function publish(terminal: Terminal): Command {
  return new Command('publish')
    .argument('<type>', 'an event type of the catalogue, such as contact.created')
    .option('--data <json>', 'what happened: a JSON object, @file to read a file, - to read stdin', '{}')
    .option('--id <id>', 'your own id: publishing the same id again delivers nothing twice')
    .option('--workspace <name>', 'the workspace whose endpoints get it (default: "default")')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      `
Examples:
  posthorn publish contact.created --data '{"id":"con_1"}'
  posthorn publish form.submitted --data @form.json --id form-4711
  echo '{"id":"opp_1"}' | posthorn publish opportunity.won --data - --json

It is stored here and sent by whichever process delivers from the same database.`,
    )
    .action((type: string, options: Options) => run(terminal, type, options));
}

async function run(terminal: Terminal, type: string, options: Options): Promise<void> {
  const data = parseData(await readData(options.data, terminal), options.data);
  const event = options.id === undefined ? { type, data } : { type, data, id: options.id };
  await withPosthorn(async ({ core, operator }) => {
    const principal = await operator.principal(options.workspace);
    const { published, repeated } = await core.publish(principal, event);
    if (options.json) return terminal.out(JSON.stringify(published));
    const owed = `${published.deliveries} ${published.deliveries === 1 ? 'delivery' : 'deliveries'}`;
    terminal.out(`${terminal.paint('bold', published.id)} ${repeated ? 'was published before' : 'is stored'}: ${owed}`);
    const { delivering } = await core.readStatus(principal, {});
    if (delivering || published.deliveries === 0) return;
    terminal.err(terminal.paintErr('yellow', 'No process delivers from this database now: start "posthorn serve".'));
  });
}

/** The text that `--data` means. */
async function readData(argument: string, { stdin }: Terminal): Promise<string> {
  if (argument === '-') return readAll(stdin);
  if (!argument.startsWith('@')) return argument;
  const path = givenPath(argument.slice(1));
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--data: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`);
  }
}

async function readAll(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    const buffer = Buffer.from(part);
    bytes += buffer.length;
    if (bytes > limits.requestBytesMax)
      throw new UsageError('--data: stdin holds more than an event may have, 256 KiB');
    parts.push(buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseData(text: string, argument: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const source = argument === '-' ? 'stdin' : argument.startsWith('@') ? argument.slice(1) : 'the text';
    throw new UsageError(`--data: ${source} is not JSON; for example --data '{"id":"con_1"}'`);
  }
}
