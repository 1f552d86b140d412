import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { databasePath, type Server, startServer } from './server.ts';
import type { Stage } from './stage.ts';

const warmUpRounds = 3;
const warmRounds = 40;
/** How many pages deep a deep page is. */
const deepPages = 20;
const limit = 50;

interface LogPage {
  data: { created_at: string }[];
  next_cursor: string | null;
}

/**
 * How long pages of the log take, in milliseconds: each kind many times, and once each for a server that has just started
 * on a file of which the system has forgotten what it read.
 */
export async function measureLogPages(stage: Stage, folder: string): Promise<{ warmMs: number[]; coldMs: number[] }> {
  const server = await startIdle(stage, folder);
  const kinds = await kindsOfPages(server);
  for (const path of kinds) for (let round = 0; round < warmUpRounds; round++) await tookMs(server, path);
  const warmMs: number[] = [];
  for (const path of kinds) {
    const own: number[] = [];
    for (let round = 0; round < warmRounds; round++) own.push(await tookMs(server, path));
    warmMs.push(...own);
    stage.progress(`at most ${Math.max(...own).toFixed(1)} ms: ${path}`);
  }
  await server.stop();
  const coldMs: number[] = [];
  for (const path of kinds) coldMs.push(await coldTookMs(stage, folder, path));
  return { warmMs, coldMs };
}

async function coldTookMs(stage: Stage, folder: string, path: string): Promise<number> {
  const server = await startIdle(stage, folder);
  // Its code is to be warm, which a page of another table takes care of.
  for (let round = 0; round < warmUpRounds; round++) await server.ask('GET', '/v1/event-types?limit=1');
  await forgetFile(databasePath(folder));
  const took = await tookMs(server, path);
  stage.progress(`cold ${took.toFixed(1)} ms: ${path}`);
  await server.stop();
  return took;
}

async function startIdle(stage: Stage, folder: string): Promise<Server> {
  const server = await startServer({ folder, environment: { POSTHORN_DISPATCH: 'off' } });
  stage.later(() => server.stop());
  return server;
}

/** The log of all endpoints and of one, with each filter, from the newest on and deep. */
async function kindsOfPages(server: Server): Promise<string[]> {
  const all = '/v1/webhooks/logs';
  const subscriptions = await server.ask<{ data: { id: string }[] }>(
    'GET',
    '/v1/webhooks/subscriptions?limit=50&status=active',
  );
  const one = `/v1/webhooks/subscriptions/${subscriptions.data.at(-1)?.id ?? ''}/logs`;
  const middle = await middleOf(server, one);
  const paths: string[] = [];
  for (const log of [all, one]) {
    const filters = [
      {},
      { status: 'succeeded' },
      { status: 'failed' },
      { event_type: 'contact.updated' },
      { event_type: 'contact.deleted' },
      { since: middle },
      { until: middle },
      { since: '2000-01-01T00:00:00Z', until: '2000-01-02T00:00:00Z' },
      { status: 'failed', until: middle },
      ...(log === all ? [{ is_test: 'true' }] : []),
    ];
    for (const filter of filters) {
      const first = `${log}?${new URLSearchParams({ ...filter, limit: String(limit) }).toString()}`;
      paths.push(first);
      const deep = await deepCursor(server, first);
      if (deep !== null) paths.push(`${first}&cursor=${encodeURIComponent(deep)}`);
    }
  }
  return paths;
}

/** A time in the middle of the history, which is some three days long. */
async function middleOf(server: Server, log: string): Promise<string> {
  const newest = await server.ask<LogPage>('GET', `${log}?limit=1`);
  const at = Date.parse(newest.data[0]?.created_at ?? '');
  return new Date(at - 36 * 3_600_000).toISOString();
}

async function deepCursor(server: Server, first: string): Promise<string | null> {
  let cursor: string | null = null;
  for (let page = 0; page < deepPages; page++) {
    const path: string = cursor === null ? first : `${first}&cursor=${encodeURIComponent(cursor)}`;
    const { next_cursor } = await server.ask<LogPage>('GET', path);
    if (next_cursor === null) return cursor;
    cursor = next_cursor;
  }
  return cursor;
}

async function tookMs(server: Server, path: string): Promise<number> {
  const startedAt = performance.now();
  await server.ask('GET', path);
  return performance.now() - startedAt;
}

/** The system forgets what it has read of the file: GNU dd asks it to, and needs no rights for that. */
async function forgetFile(path: string): Promise<void> {
  await promisify(execFile)('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
}
