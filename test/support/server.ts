import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/package.ts';

export const adminKey = 'tp_live_an_admin_key_for_the_tests_only';

/** `posthorn serve` as a process of its own. */
export interface Server {
  url: string;
  child: ChildProcess;
  stderr(): string;
  /** One request with the admin key. */
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts one and resolves once it accepts requests. */
export async function startServer(databaseUrl: string, environment: Record<string, string> = {}): Promise<Server> {
  const child = spawn(process.execPath, [join(packageRoot, 'bin/posthorn.js'), 'serve'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: databaseUrl,
      PORT: '0',
      POSTHORN_ADMIN_KEY: adminKey,
      POSTHORN_ALLOW_TARGETS: '127.0.0.0/8',
      POSTHORN_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      POSTHORN_LOG_LEVEL: 'warn',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      const found = /listening on (http:\S+)/.exec(stderr)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${stderr}`)));
  });
  return {
    url,
    child,
    stderr: () => stderr,
    async request(method, path, body) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${adminKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
    },
    async kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}

/** A folder for one test's database. */
export function makeFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'posthorn-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
