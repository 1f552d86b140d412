import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { JourneyStore } from '../../core/ports/journey-store.ts';
import type { Store } from '../../core/ports/ports.ts';
import { answering } from '../answering.ts';
import { newestAttempt, overviewStore } from '../manage/overview.ts';
import { settingsName } from '../manage/settings.ts';
import { authored, type BareStore } from '../authored.ts';
import { GroupCommit, type Outcome } from '../group-commit.ts';
import { journeyStore } from '../journey-store.ts';
import type { JourneyOp, JourneyResult } from '../journey-op.ts';
import { storeError } from '../store-error.ts';
import type { Tables } from '../tables.ts';
import { cutLog } from '../erasing.ts';
import { busyMsMax, openReader } from './connection.ts';
import { dueReads } from './due.ts';
import { keyReads } from './key-reads.ts';
import { startError } from './start-error.ts';
import { packGroup, unpackOutcomes } from './packing.ts';
import { writerDialect } from './writer-dialect.ts';
import type { WriterThread, Writing } from './writer-thread.ts';

/** Bounds how long one group holds the file: about 10 ms of writing. */
const groupRowsMax = 2_000;
/** While the thread commits one, the next is there already: it need not be woken for it. */
const groupsMax = 2;
/** How soon a commit of another process is noticed. */
const outsideCheckMs = 25;

/** The store on one SQLite file, which several processes may share. `thread` has opened it. */
export function openSqlite(path: string, thread: WriterThread): Store {
  return sqliteStore(openReader(path), thread);
}

/** What the server of Posthorn recorded there; null when it recorded nothing, or file or tables are not made yet. */
export function recordedOnSqlite(path: string): string | null {
  if (!isFile(path)) return null;
  let reader: Database | undefined;
  try {
    reader = openReader(path);
    const tables = reader.prepare("select 1 from sqlite_master where type = 'table' and name = 'meta'").get();
    if (tables === undefined) return null;
    const row = reader.prepare<[string], { value: Buffer }>('select value from meta where name = ?').get(settingsName);
    return row?.value.toString() ?? null;
  } catch (error) {
    throw startError(path, error as Error & { code: string });
  } finally {
    reader?.close();
  }
}

/** What is none, or cannot be looked at, opening will say. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The same over a connection that reads and whatever answers to the requests of a writer. */
export function sqliteStore(reader: Database, thread: Writing): Store {
  const read = new Kysely<Tables>({ dialect: new SqliteDialect({ database: reader }) });
  const write = new Kysely<Tables>({ dialect: writerDialect(thread) });
  const commits = new GroupCommit<JourneyOp, JourneyResult>((ops) => commitGroup(thread, ops), groupRowsMax, groupsMax);
  const access = {
    read,
    write: <T>(work: (trx: Kysely<Tables>) => Promise<T>) => commits.exclusive(() => write.transaction().execute(work)),
    room: async () => void (await thread.request({ kind: 'room' })),
  };
  const journey = journeyStore(access, commits);
  const alone = (statements: string[]) => commits.exclusive(() => runAll(thread, statements));
  /** Once a minute, when pruning has come to its end, is soon enough for what was erased to be gone from the log. */
  const pruneAndCut: JourneyStore['prune'] = async (position, before) => {
    const next = await journey.prune(position, before);
    if (next === null) await cutLog(access, alone, busyMsMax);
    return next;
  };
  const timers: NodeJS.Timeout[] = [];
  const bare: BareStore = {
    engine: 'sqlite',
    overview: answering(overviewStore(access, newestAttempt)),
    journey: answering({ ...journey, ...dueReads(reader), prune: pruneAndCut }),
    onOutsideChange(listener) {
      const version = reader.prepare('pragma data_version').pluck();
      let seen = version.get();
      const timer = setInterval(() => {
        const now = readable(() => version.get()) ?? seen;
        if (now === seen) return;
        seen = now;
        listener();
      }, outsideCheckMs);
      timer.unref();
      timers.push(timer);
    },
    async ping() {
      reader.prepare('select 1 from meta').get();
    },
    async close() {
      for (const timer of timers) clearInterval(timer);
      await commits.idle();
      // Not through kysely, which closes nothing that it was never asked of: the writer, last of all, takes the log away.
      reader.close();
      await thread.close();
    },
  };
  const store = authored(bare, access);
  return { ...store, keys: { ...store.keys, ...answering(keyReads(reader)) } };
}

/** Each whatever became of the one before: the first row that it answers, or none. */
async function runAll(thread: Writing, statements: string[]): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (const statement of statements) {
    const reply = await thread.request({ kind: 'query', sql: statement, parameters: [] }).catch(() => null);
    rows.push(reply?.kind === 'rows' ? reply.result.rows[0] : undefined);
  }
  return rows;
}

async function commitGroup(thread: Writing, ops: JourneyOp[]): Promise<Outcome<JourneyResult>[]> {
  const reply = await thread.request({ kind: 'group', ...packGroup(ops) });
  if (reply.kind !== 'group') throw new Error('the writer thread gave a reply of another kind');
  const outcomes = unpackOutcomes(reply);
  return outcomes.map((outcome) => (outcome.ok ? outcome : { ok: false, error: storeError(outcome.error) }));
}

/** Null where the file cannot be read just now: thrown inside a timer, that would end the process. */
function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
