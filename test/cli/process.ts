import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { Output } from './output.ts';

const bin = fileURLToPath(new URL('../../bin/posthorn.js', import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** `posthorn` as a process of its own. */
export interface PosthornProcess {
  child: ChildProcess;
  write(text: string): void;
  closeStdin(): void;
  line(pattern: RegExp): Promise<string>;
  ended: Promise<Ended>;
}

/** Starts it with an environment that holds nothing of ours but `env`. It is gone when the test is. */
export function start(
  args: string[],
  env: Record<string, string>,
  nodeArguments: string[] = [],
  cwd?: string,
): PosthornProcess {
  const child = spawn(process.execPath, [...nodeArguments, bin, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...env },
    ...(cwd !== undefined && { cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = new Output();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => output.add(name, text));
  }
  // A process that ended before it read everything is what some tests want.
  child.stdin.on('error', () => {});
  const closed = once(child, 'close') as Promise<[Ended['code'], Ended['signal']]>;
  const ended = closed.then(([code, signal]) => {
    output.end();
    return { code, signal, stdout: output.stdout, stderr: output.stderr };
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    child,
    write: (text) => child.stdin.write(text),
    closeStdin: () => child.stdin.end(),
    line: (pattern) => output.line(pattern),
    ended,
  };
}

/** Runs it to its end. */
export function runProcess(args: string[], env: Record<string, string>, nodeArguments: string[] = []): Promise<Ended> {
  const started = start(args, env, nodeArguments);
  started.closeStdin();
  return started.ended;
}

/** A server that accepts requests, and its URL. */
export async function startServer(
  env: Record<string, string>,
  cwd?: string,
  nodeArguments: string[] = [],
): Promise<PosthornProcess & { url: string }> {
  const server = start(['serve'], env, nodeArguments, cwd);
  const line = await server.line(/listening on http:/);
  return { ...server, url: /http:\/\/\S+/.exec(line)?.[0] ?? '' };
}
