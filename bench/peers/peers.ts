import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { databaseUrl, startPostgres } from '../../test/support/postgres.ts';
import { childEnvironment, startChild } from '../child.ts';
import { findProgram } from '../find-program.ts';
import { freePort } from '../free-port.ts';
import type { LoopWork } from '../loop.ts';
import type { Stage } from '../stage.ts';
import type { PeerName, PeerWork } from './peer.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const program = join(folder, 'peer-process.ts');

/** Every commit is synced. The rest is what anybody gives a PostgreSQL that has to write much. */
const durableSettings = {
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  max_connections: '200',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
};

/** The queue libraries, each measured in a new process on an empty database. */
export interface Peers {
  names: PeerName[];
  /** Answers the deliveries a second, from the first request to the durable end of the last job. */
  run(peer: PeerName, work: LoopWork): Promise<number>;
}

/** Installs the libraries when they are missing, and starts what they keep their jobs in. Null, with a note: not possible. */
export async function openPeers(stage: Stage): Promise<Peers | null> {
  if (!(await install(stage))) return null;
  const postgres = await startPostgres(durableSettings);
  stage.later(() => postgres.stop());
  const redis = await findProgram('redis-server');
  if (redis === null) stage.note('BullMQ was not measured, as redis-server is not installed.');
  const names: PeerName[] = [...(redis === null ? [] : ['BullMQ' as const]), 'graphile-worker', 'pg-boss'];
  let runs = 0;
  return {
    names,
    async run(peer, work) {
      runs++;
      const postgresUrl = await newDatabase(postgres.url, `run_${runs}`);
      const started = peer === 'BullMQ' && redis !== null ? await startRedis(stage, redis, `redis-${runs}`) : null;
      const seconds = await runPeer(stage, { ...work, peer, postgresUrl, redisPort: started?.port ?? null });
      await started?.stop();
      return work.requests / seconds;
    },
  };
}

/** They are no part of Posthorn: only who compares it with them installs them. */
async function install(stage: Stage): Promise<boolean> {
  const known = await access(join(folder, 'node_modules', '.package-lock.json')).then(
    () => true,
    () => false,
  );
  if (known) return true;
  stage.progress('installing BullMQ, graphile-worker and pg-boss into bench/peers');
  const npm = startChild('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    environment: childEnvironment(registryEnvironment()),
    cwd: folder,
  });
  stage.later(() => npm.stop());
  const code = await npm.ended.catch(() => null);
  if (code !== 0) stage.note('The queue libraries were not measured, as they could not be installed.');
  return code === 0;
}

/** How the caller's npm reaches its registry. */
function registryEnvironment(): Record<string, string> {
  const names = ['NODE_EXTRA_CA_CERTS', 'npm_config_registry'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

async function newDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return databaseUrl(serverUrl, name);
}

async function startRedis(stage: Stage, redis: string, name: string): Promise<{ port: number; stop(): Promise<void> }> {
  const port = await freePort();
  const data = join(stage.folder, name);
  await mkdir(data);
  const flags = { port, bind: '127.0.0.1', dir: data, save: '', appendonly: 'yes', appendfsync: 'always' };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const child = startChild(redis, args, { environment: childEnvironment({}) });
  stage.later(() => child.stop());
  await child.says('stdout', /Ready to accept connections/);
  return { port, stop: () => child.stop() };
}

async function runPeer(stage: Stage, work: PeerWork): Promise<number> {
  const child = startChild(process.execPath, [program, JSON.stringify(work)], { environment: childEnvironment({}) });
  stage.later(() => child.stop());
  const [, seconds] = await child.says('stdout', /^seconds: ([\d.]+)\n/m);
  await child.ended;
  return Number(seconds);
}
