import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { Failed, painter, type Terminal, UsageError } from './commands/terminal.ts';
import { PosthornError } from './core/errors.ts';
import { packageVersion } from './package.ts';

type MakeCommand = (terminal: Terminal) => Command;

/** A command is imported when it is called: `mcp` has to answer within half a second. */
const commands: Record<string, { summary: string; load: () => Promise<MakeCommand> }> = {
  serve: {
    summary: 'run the server: MCP, REST, dispatcher',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  mcp: { summary: 'speak MCP over stdio', load: async () => (await import('./commands/mcp.ts')).mcp },
  publish: { summary: 'publish one event', load: async () => (await import('./commands/publish.ts')).publish },
  demo: {
    summary: 'watch the main job on a throw-away database',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  keys: { summary: 'make, list and revoke API keys', load: async () => (await import('./commands/keys.ts')).keys },
  workspaces: {
    summary: 'make and list workspaces',
    load: async () => (await import('./commands/workspaces.ts')).workspaces,
  },
  listen: {
    summary: 'receive webhooks here, verify and print them',
    load: async () => (await import('./commands/listen.ts')).listen,
  },
  migrate: { summary: 'make or upgrade the tables', load: async () => (await import('./commands/migrate.ts')).migrate },
  doctor: {
    summary: 'check that this installation works',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
};

const exitCodes = { success: 0, failure: 1, usage: 2 } as const;

/** Runs the command line and ends the process: 0 success, 1 failure, 2 wrong usage. */
export async function main(argv: string[]): Promise<void> {
  // A reader such as "head" may leave before everything is printed, which is its right.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const code = await run(helpFirst(argv));
  // Windows writes to pipes later: what was printed has to leave before the process does.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(code);
}

/** `posthorn help keys` is `posthorn keys --help`. */
function helpFirst(argv: string[]): string[] {
  return argv[2] === 'help' ? [...argv.slice(0, 2), ...argv.slice(3), '--help'] : argv;
}

async function run(argv: string[]): Promise<number> {
  const terminal = makeTerminal();
  try {
    const program = await makeProgram(argv, terminal);
    await program.parseAsync(argv);
    return exitCodes.success;
  } catch (error) {
    return explain(error, terminal);
  }
}

async function makeProgram(argv: string[], terminal: Terminal): Promise<Command> {
  const program = new Command('posthorn')
    .description('A self-hosted webhook server that AI agents operate.')
    .version(packageVersion)
    .exitOverride()
    .configureHelp({ showGlobalOptions: false })
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Examples:
  posthorn serve                                     start the server
  posthorn publish contact.created --data @c.json    publish an event
  posthorn keys create --help                        how to make a key

Everything else is set in the environment: see the README.`,
    );
  const called = argv.slice(2).find((argument) => !argument.startsWith('-'));
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = name === called ? (await load())(terminal) : new Command(name);
    program.addCommand(inherit(command.description(summary), program));
  }
  return program;
}

/** Commands that are made on their own do not take over what a wrong usage does. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent).helpCommand(false).showHelpAfterError('"--help" shows how it is used.');
  for (const child of command.commands) inherit(child, command);
  return command;
}

function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    const asked = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
    return asked ? exitCodes.success : exitCodes.usage;
  }
  if (error instanceof Failed) return exitCodes.failure;
  const isUsage = error instanceof UsageError;
  terminal.err(`${terminal.paintErr('red', 'posthorn:')} ${messageOf(error)}`);
  return isUsage ? exitCodes.usage : exitCodes.failure;
}

/** One line: a stack trace helps nobody on a command line. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Our own errors begin with their code from the table; the system's codes are in their messages already.
  const text = error instanceof PosthornError ? `${error.code}: ${error.message}` : error.message;
  return text.split('\n', 1)[0] ?? text;
}

function makeTerminal(): Terminal {
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    paint: painter(process.stdout),
    paintErr: painter(process.stderr),
    stdin: process.stdin,
    stopSignal,
  };
}

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
