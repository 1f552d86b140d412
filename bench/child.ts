import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

const stopMsMax = 20_000;
const saidCharactersMax = 4_000;

/** A process that belongs to this run. It is stopped by its id. */
export interface Child {
  readonly pid: number;
  readonly stdin: Writable;
  /** Resolves with the first match in what it says on that stream; rejects when it ends without one. */
  says(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Asks it to end and waits; ends it by force after 20 s, and says so by throwing. */
  stop(): Promise<void>;
  /** Ends it by force, as a power cut would, and waits until it is gone. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  /** The whole environment. */
  environment: Record<string, string>;
  cwd?: string;
}

/** Starts a program. Its output is read all the time, as a full pipe would stop it, and its end is kept for messages. */
export function startChild(command: string, args: string[], { environment, cwd }: ChildOptions): Child {
  const child = spawn(command, args, { env: environment, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] = (said[stream] + text).slice(-saidCharactersMax);
      for (const listener of listeners) listener();
    });
  }
  // A program that ends first makes writing to it fail; its end is what tells why.
  child.stdin.on('error', () => {});
  const ended = endOf(child);
  return {
    pid: child.pid ?? -1,
    stdin: child.stdin,
    ended,
    says(stream, pattern) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(said[stream]);
          if (match === null) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        const fail = (why: unknown) => {
          listeners.delete(look);
          reject(new Error(`${command} ended (${String(why)}) before it said ${String(pattern)}\n${said.stderr}`));
        };
        ended.then(fail, fail);
      });
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
      await ended;
      clearTimeout(force);
      if (child.signalCode === 'SIGKILL') throw new Error(`${command} did not end within ${stopMsMax / 1_000} s`);
    },
  };
}

function endOf(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<number | null> {
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  // Whoever waits sees the failure; nobody has to.
  ended.catch(() => {});
  return ended;
}

/** The environment of a child: the caller's without what would configure Posthorn or Node, and `more`. */
export function childEnvironment(more: Record<string, string>): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(POSTHORN_|NODE_|npm_|HOST$|PORT$)/.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...more };
}
