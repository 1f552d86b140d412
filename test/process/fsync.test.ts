import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openWriter } from '../../src/store/sqlite/connection.ts';
import { makeFolder, type Server, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** NORMAL is 1: it syncs at checkpoints only, which no SIGKILL shows, as the kernel keeps what was written. */
const full = 2;
const publishes = 25;
const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => folder.remove());

describe('what was acknowledged survives a power cut', () => {
  it('the writing connection syncs its log with every commit', () => {
    const db = openWriter(join(folder.path, 'p.db'));
    expect(db.pragma('synchronous', { simple: true })).toBe(full);
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    db.close();
  });

  // Where strace is not installed, or may not trace, the settings above are all that can be seen; CI installs it.
  it.runIf(canTrace)('and does so: as many syncs of the log as publishes that were answered one by one', async () => {
    const server = await startServer(`file:${join(folder.path, 'p.db')}`, { POSTHORN_DISPATCH: 'off' });
    try {
      expect(await syncsOf(server, () => publishOneByOne(server))).toBeGreaterThanOrEqual(publishes);
    } finally {
      await server.kill('SIGKILL');
    }
  });
});

async function publishOneByOne(server: Server): Promise<void> {
  for (let n = 0; n < publishes; n++) {
    const { status } = await server.request('POST', '/v1/events', { type: 'contact.created', data: { n } });
    expect(status).toBe(202);
  }
}

/** How often the process synced a file while `work` went on. */
async function syncsOf({ child }: Server, work: () => Promise<void>): Promise<number> {
  const output = join(folder.path, 'trace');
  const tracer = spawn('strace', ['-f', '-e', 'trace=fsync,fdatasync', '-o', output, '-p', String(child.pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await attached(tracer);
  await work();
  tracer.kill('SIGINT');
  await once(tracer, 'exit');
  return readFileSync(output, 'utf8').match(/\b(fsync|fdatasync)\(/g)?.length ?? 0;
}

/** strace says so for each thread; the writer's is there by the time the last one is. */
async function attached(tracer: ChildProcess): Promise<void> {
  let told = '';
  tracer.stderr?.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  await until(() => /attached/.test(told));
}
