import { execFile } from 'node:child_process';
import { open, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot, packageVersion } from '../src/package.ts';
import { median } from './samples.ts';
import type { Stage } from './stage.ts';

/** What the figures were measured on. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  posthorn: string;
  /** Null outside of a checkout. */
  commit: string | null;
  /** What writing and syncing 4 KiB costs where the databases lie: what one commit costs at least. */
  syncMs: number;
  /** In memory, commits cost nothing and the figures mean little. */
  databasesInMemory: boolean;
}

const tmpfs = 0x01021994;
const syncs = 51;

export async function describeMachine(stage: Stage): Promise<Machine> {
  const { type } = await statfs(stage.folder);
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    posthorn: packageVersion,
    commit: await commit(),
    syncMs: await syncCost(stage.folder),
    databasesInMemory: type === tmpfs,
  };
}

async function commit(): Promise<string | null> {
  const run = promisify(execFile);
  try {
    const { stdout } = await run('git', ['describe', '--always', '--dirty'], { cwd: packageRoot });
    return stdout.trim();
  } catch {
    return null;
  }
}

async function syncCost(folder: string): Promise<number> {
  const file = await open(join(folder, 'sync'), 'w');
  const block = Buffer.alloc(4_096, 1);
  const samples: number[] = [];
  for (let count = 0; count < syncs; count++) {
    const startedAt = performance.now();
    await file.write(block);
    await file.datasync();
    samples.push(performance.now() - startedAt);
  }
  await file.close();
  return Math.round(median(samples) * 1_000) / 1_000;
}
