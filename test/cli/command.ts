import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const bin = fileURLToPath(new URL('../../bin/posthorn.js', import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** `posthorn` as a process of its own, whose environment holds nothing of ours but `env`. */
export interface Command {
  child: ChildProcess;
  /** Writes to stdin. */
  write(text: string): void;
  /** The first line of stdout or stderr that matches, however long ago it came. Rejects when the process ends without. */
  line(pattern: RegExp): Promise<string>;
  ended: Promise<Ended>;
}

export interface CommandOptions {
  env?: Record<string, string>;
  stdin?: string;
  nodeArguments?: string[];
}

export function start(args: string[], options: CommandOptions = {}): Command {
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), bin, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      for (const watch of watchers) watch();
    });
  }
  // A process that ended before it read everything is what some tests want.
  child.stdin.on('error', () => {});
  if (options.stdin !== undefined) child.stdin.end(options.stdin);
  const closed = once(child, 'close') as Promise<[Ended['code'], Ended['signal']]>;
  const ended = closed.then(([code, signal]) => {
    for (const watch of watchers) watch();
    return { code, signal, ...output };
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, write: (text) => child.stdin.write(text), line: (pattern) => findLine(pattern), ended };

  function findLine(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const complete = [output.stdout, output.stderr].flatMap((text) => text.split('\n').slice(0, -1));
        const found = complete.find((each) => pattern.test(each));
        const isOver = child.exitCode !== null || child.signalCode !== null;
        if (found === undefined && !isOver) return;
        watchers.delete(look);
        if (found === undefined) reject(new Error(`ended without ${pattern}: ${output.stdout}${output.stderr}`));
        else resolve(found);
      };
      watchers.add(look);
      look();
    });
  }
}

/** Runs a command to its end. */
export function run(args: string[], options: CommandOptions = {}): Promise<Ended> {
  return start(args, { stdin: '', ...options }).ended;
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The environment of a database of its own. */
export async function freshDatabase(): Promise<{ folder: string; env: Record<string, string> }> {
  const folder = await temporaryFolder();
  return { folder, env: { DATABASE_URL: `file:${join(folder, 'p.db')}`, PORT: '0' } };
}

/** A server that accepts requests, and its URL. */
export async function startServer(env: Record<string, string>): Promise<Command & { url: string }> {
  const server = start(['serve'], { env });
  const line = await server.line(/listening on http:/);
  const url = /http:\/\/\S+/.exec(line)?.[0] ?? '';
  return { ...server, url };
}
