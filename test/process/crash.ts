import Database from 'better-sqlite3';
import { Client } from 'pg';
import { sqlitePath } from '../../src/store/open.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type Server, startServer } from '../support/server.ts';

export interface CrashOptions {
  /** Of an empty database. */
  databaseUrl: string;
  kills: number;
  /** How long a process lives under load before it is killed. */
  lifeMs: { min: number; max: number };
  /** How long all goes well before the first kill. */
  calmMs: number;
  /** Uniform in [0, 1). */
  random?(): number;
  progress?(kills: number, acknowledged: number): void;
  signal?: AbortSignal;
}

export interface CrashResult {
  kills: number;
  acknowledged: number;
  requests: number;
  /** Events that were acknowledged and that the receiver never got. */
  lost: string[];
  /** Deliveries still owed when all had time to end. */
  undelivered: number;
  /** Events of which the receiver got more requests than the log has rows. */
  unlogged: string[];
  /** 'ok', or what the engine says. */
  integrity: string;
  /** Requests for what the receiver had got before: before the first kill, and the most after one kill. */
  repeatsWithoutKills: number;
  repeatsOfOneKillMax: number;
}

const publishersMax = 4;
const settleMsMax = 60_000;

/**
 * Kills `posthorn serve` under load again and again, and holds what an independent receiver saw against what publishers were
 * told and what the database says.
 */
export async function crash(options: CrashOptions): Promise<CrashResult> {
  const { databaseUrl, kills, lifeMs, calmMs, random = Math.random } = options;
  const receiver = await startReceiver();
  const acknowledged: string[] = [];
  const repeats: number[] = [];
  let server = await startServer(databaseUrl);
  try {
    const { body } = await server.request('POST', '/v1/webhooks/subscribe', { url: receiver.url, events: ['*'] });
    let counted = 0;
    const countRepeats = () => {
      const all = receiver.requests.length - ids(receiver).size;
      repeats.push(all - counted);
      counted = all;
    };
    for (let life = 0; life < kills && options.signal?.aborted !== true; life++) {
      const publishing = Array.from({ length: publishersMax }, (_, n) => publishUntilGone(server, `${life}-${n}`));
      const before = receiver.requests.length;
      await soon(() => receiver.requests.length > before);
      await wait(life === 0 ? calmMs : lifeMs.min + random() * (lifeMs.max - lifeMs.min));
      countRepeats();
      await server.kill('SIGKILL');
      acknowledged.push(...(await Promise.all(publishing)).flat());
      options.progress?.(life + 1, acknowledged.length);
      server = await startServer(databaseUrl);
    }
    const path = `/v1/webhooks/subscriptions/${String(body['id'])}`;
    const owed = async () => Number((await server.request('GET', path)).body['pending_count']);
    await soon(async () => (await owed()) === 0).catch(() => {});
    countRepeats();
    const undelivered = await owed();
    await server.kill('SIGTERM');
    const log = await readLog(databaseUrl);
    const seen = Map.groupBy(receiver.requests, idOf);
    const [repeatsWithoutKills = 0, ...repeatsOfKills] = repeats;
    return {
      kills: repeatsOfKills.length,
      acknowledged: acknowledged.length,
      requests: receiver.requests.length,
      lost: acknowledged.filter((id) => !seen.has(id)),
      undelivered,
      unlogged: [...seen].filter(([id, requests]) => requests.length > (log.attempts.get(id) ?? 0)).map(([id]) => id),
      integrity: log.integrity,
      repeatsWithoutKills,
      repeatsOfOneKillMax: Math.max(0, ...repeatsOfKills),
    };
  } finally {
    await server.kill('SIGKILL');
    await receiver.close();
  }
}

/** Publishes one by one until the server is gone; answers the ids that were acknowledged. */
async function publishUntilGone(server: Server, name: string): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let n = 0; ; n++) {
    const id = `life-${name}-${n}`;
    try {
      const { status } = await server.request('POST', '/v1/events', { type: 'contact.created', id, data: { n } });
      if (status === 202) acknowledged.push(id);
    } catch {
      return acknowledged;
    }
  }
}

const idOf = ({ headers }: Receiver['requests'][0]): string => String(headers['webhook-id']);
const ids = ({ requests }: Receiver): Set<string> => new Set(requests.map(idOf));
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function soon(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + settleMsMax;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${settleMsMax} ms in vain for ${condition.toString()}`);
    await wait(10);
  }
}

interface LogRow {
  id: string;
  count: number | string;
}
const countAttempts = `select e.public_id as id, count(*) as count from attempts a join deliveries d on d.id = a.delivery_id
  join events e on e.id = d.event_id group by e.public_id`;

/** How many attempts the database knows of each event, and whether it is whole. */
export async function readLog(databaseUrl: string): Promise<{ attempts: Map<string, number>; integrity: string }> {
  const counts = (rows: LogRow[]) => new Map(rows.map(({ id, count }) => [id, Number(count)]));
  if (databaseUrl.startsWith('file:')) {
    const db = new Database(sqlitePath(databaseUrl), { readonly: true });
    const attempts = counts(db.prepare<[], LogRow>(countAttempts).all());
    const integrity = String(db.pragma('integrity_check', { simple: true }));
    db.close();
    return { attempts, integrity };
  }
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<LogRow>(countAttempts);
  await client.end();
  // PostgreSQL itself was not killed: its own files are not in question.
  return { attempts: counts(rows), integrity: 'ok' };
}
