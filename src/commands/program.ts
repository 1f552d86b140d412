import { Command, CommanderError } from 'commander';
import { PosthornError } from '../core/errors.ts';
import { packageVersion } from '../package.ts';
import { Failed, oneLine, printable, type Terminal, UsageError } from './terminal.ts';

interface Entry {
  summary: string;
  /** A command is imported when it is called: `mcp` has to answer within half a second. */
  load: () => Promise<(terminal: Terminal) => Command>;
}

const entries: Record<string, Entry> = {
  serve: {
    summary: 'run the server: MCP, REST, dispatcher',
    load: async () => (await import('./serve.ts')).serve,
  },
  mcp: {
    summary: 'speak MCP over stdio',
    load: async () => (await import('./mcp.ts')).mcp,
  },
  publish: {
    summary: 'publish one event',
    load: async () => (await import('./publish.ts')).publish,
  },
  demo: {
    summary: 'watch the main job on a throw-away database',
    load: async () => (await import('./demo.ts')).demo,
  },
  keys: {
    summary: 'make, list and revoke API keys',
    load: async () => (await import('./keys.ts')).keys,
  },
  workspaces: {
    summary: 'make and list workspaces',
    load: async () => (await import('./workspaces.ts')).workspaces,
  },
  approve: {
    summary: 'let an endpoint receive that waits for approval',
    load: async () => (await import('./approve.ts')).approve,
  },
  audit: {
    summary: 'show who changed what, and check that nothing is missing',
    load: async () => (await import('./audit.ts')).audit,
  },
  listen: {
    summary: 'receive webhooks here, verify and print them',
    load: async () => (await import('./listen.ts')).listen,
  },
  migrate: {
    summary: 'make or upgrade the tables',
    load: async () => (await import('./migrate.ts')).migrate,
  },
  doctor: {
    summary: 'check that this installation works',
    load: async () => (await import('./doctor.ts')).doctor,
  },
};

const exitCodes = { success: 0, failure: 1, usage: 2 } as const;

/** Runs one command line, without the program's name. Answers the exit code: 0 success, 1 failure, 2 wrong usage. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const asked = helpLast(args);
  try {
    const program = await makeProgram(asked, terminal);
    await program.parseAsync(asked, { from: 'user' });
    return exitCodes.success;
  } catch (error) {
    return explain(error, terminal);
  }
}

/** `help keys` is `keys --help`. */
function helpLast(args: readonly string[]): readonly string[] {
  return args[0] === 'help' ? [...args.slice(1), '--help'] : args;
}

async function makeProgram(args: readonly string[], terminal: Terminal): Promise<Command> {
  const program = new Command('posthorn')
    .description('A self-hosted webhook server that AI agents operate.')
    .version(packageVersion)
    .exitOverride()
    .showHelpAfterError('"--help" shows how it is used.')
    .configureOutput({
      writeOut: (text) => terminal.out(printable(text.replace(/\n$/, ''))),
      writeErr: (text) => terminal.err(printable(text.replace(/\n$/, ''))),
    })
    .addHelpText(
      'after',
      `
Examples:
  posthorn serve                                     start the server
  posthorn publish contact.created --data @c.json    publish an event
  posthorn keys create --help                        how to make a key

Everything else is set in the environment: docs/reference.md lists it.`,
    );
  const called = args.find((argument) => !argument.startsWith('-'));
  for (const [name, { summary, load }] of Object.entries(entries)) {
    const command = name === called ? (await load())(terminal) : new Command(name);
    program.addCommand(inherit(command.description(summary), program));
  }
  return program.helpCommand(false);
}

/** Commands that are made on their own do not take over what a wrong usage does and where the help goes. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent).helpCommand(false);
  for (const child of command.commands) inherit(child, command);
  return command;
}

/** Says on stderr what went wrong, in one line: a stack trace helps nobody on a command line. */
function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    const isAnswer = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
    return isAnswer ? exitCodes.success : exitCodes.usage;
  }
  if (error instanceof Failed) return exitCodes.failure;
  terminal.err(`${terminal.paintErr('red', 'posthorn:')} ${oneLine(messageOf(error))}`);
  return isUsage(error) ? exitCodes.usage : exitCodes.failure;
}

/** Whether another command line would have been taken, whatever the database holds. */
function isUsage(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  return error instanceof PosthornError && ['validation_failed', 'payload_too_large'].includes(error.code);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error instanceof PosthornError ? `${error.code}: ${error.message}${causeOf(error)}` : error.message;
  return text.split('\n', 1)[0] ?? text;
}

/** Why the database did not answer, which is for whoever runs it and for no client. */
function causeOf({ code, cause }: PosthornError): string {
  return code === 'store_unavailable' && cause instanceof Error ? ` (${cause.message})` : '';
}
