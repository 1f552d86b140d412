import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { createPosthorn, loadConfig, type Posthorn } from '../../src/app.ts';
import { runCommand } from '../../src/commands/program.ts';
import { Output } from './output.ts';

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

/** A command that runs in this process, which costs a hundredth of one of its own. */
export interface RunningHere {
  line(pattern: RegExp): Promise<string>;
  /** What SIGTERM does. */
  stop(): void;
  ended: Promise<Answer>;
}

/** Starts a command in an environment that holds nothing of ours but `env`. */
export function startHere(args: string[], env: Record<string, string> = {}, stdin = ''): RunningHere {
  vi.unstubAllEnvs();
  const ours = Object.keys(process.env).filter((name) => /^(POSTHORN_.*|DATABASE_URL|HOST|PORT)$/.test(name));
  for (const name of ours) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());

  const output = new Output();
  const controller = new AbortController();
  const plain = (_style: string, text: string) => text;
  const code = runCommand(args, {
    out: (line) => output.add('stdout', `${line}\n`),
    err: (line) => output.add('stderr', `${line}\n`),
    paint: plain,
    paintErr: plain,
    stdin: (async function* () {
      yield stdin;
    })(),
    stopSignal: () => controller.signal,
  });
  const ended = code
    .finally(() => output.end())
    .then((value) => ({ code: value, stdout: output.stdout, stderr: output.stderr }));
  onTestFinished(async () => {
    controller.abort();
    await ended;
  });
  return { line: (pattern) => output.line(pattern), stop: () => controller.abort(), ended };
}

/** Runs a command to its end. */
export function run(args: string[], env: Record<string, string> = {}, stdin = ''): Promise<Answer> {
  return startHere(args, env, stdin).ended;
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

/** Posthorn of that environment, opened in this process and stopped after the test. */
export async function open(env: Record<string, string>): Promise<Posthorn> {
  const posthorn = await createPosthorn(loadConfig({ POSTHORN_LOG_LEVEL: 'error', ...env }));
  onTestFinished(() => posthorn.stop(0));
  return posthorn;
}
