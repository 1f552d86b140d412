import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPosthorn, loadConfig, type Overrides, type Posthorn } from '../../src/app.ts';
import type { Core } from '../../src/core/core.ts';
import type { Log } from '../../src/core/ports/ports.ts';
import type { Principal } from '../../src/core/types.ts';
import { scopes } from '../../src/core/vocabulary.ts';
import { FakeClock } from './fake-clock.ts';
import { type Receiver, startReceiver } from './receiver.ts';

/** A whole Posthorn on a database of its own, with a fake clock and fixed jitter, and a real receiver beside it. */
export interface Harness {
  posthorn: Posthorn;
  core: Core;
  clock: FakeClock;
  receiver: Receiver;
  /** Holds every scope. */
  owner: Principal;
  logs: { level: string; facts: object; message: string }[];
  databaseUrl: string;
  close(): Promise<void>;
}

export interface HarnessOptions {
  environment?: Record<string, string>;
  ports?: Overrides;
  databaseUrl?: string;
  clock?: FakeClock;
  receiver?: Receiver;
}

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-test-'));
  const databaseUrl = options.databaseUrl ?? `file:${join(folder, 'posthorn.db')}`;
  const clock = options.clock ?? new FakeClock();
  const receiver = options.receiver ?? (await startReceiver());
  const logs: Harness['logs'] = [];
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    POSTHORN_ALLOW_TARGETS: '127.0.0.1/32',
    POSTHORN_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
    ...options.environment,
  });
  const posthorn = await createPosthorn(config, {
    clock,
    log: keepingLog(logs),
    random: { float: () => 0.5, bytes: (count) => Buffer.from(crypto.getRandomValues(new Uint8Array(count))) },
    ...options.ports,
  });
  await posthorn.core.bootstrap();
  const local = await posthorn.core.localPrincipal({ face: 'cli', client: null });
  return {
    posthorn,
    core: posthorn.core,
    clock,
    receiver,
    owner: { ...local, scopes: new Set(scopes) },
    logs,
    databaseUrl,
    async close() {
      await posthorn.stop(0);
      if (options.receiver === undefined) await receiver.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function keepingLog(logs: Harness['logs']): Log {
  const keep = (level: string) => (facts: object, message: string) => void logs.push({ level, facts, message });
  return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}
