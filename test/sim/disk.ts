import type { Database } from 'better-sqlite3';
import type { HealthLimits } from '../../src/core/rules/health.ts';
import type { JourneyOp, JourneyResult } from '../../src/store/journey-op.ts';
import type { Outcome } from '../../src/store/group-commit.ts';
import type { WriterReply, WriterRequest } from '../../src/store/sqlite/messages.ts';
import { unpackGroup, unpackOutcomes } from '../../src/store/sqlite/packing.ts';
import { makeReply } from '../../src/store/sqlite/reply.ts';
import type { Writing } from '../../src/store/sqlite/writer-thread.ts';
import { storeError } from '../../src/store/store-error.ts';
import type { Chaos } from './chaos.ts';
import { guarded } from './database.ts';
import type { Owner, World } from './world.ts';

/** What is told of everything that a process does to the database. */
export interface DiskWatch {
  before(): void;
  ran(owner: Owner, ops: JourneyOp[], outcomes: Outcome<JourneyResult>[]): void;
  committed(owner: Owner): void;
}

/** Operations whose answer may be lost after they were committed. A lost lease is the engine's own business. */
const repeatable = new Set<JourneyOp['kind']>([
  'accept',
  'settle',
  'giveBack',
  'beat',
  'fanOut',
  'reapWorkers',
  'retireWorker',
]);
const codes = ['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_BUSY'];

/** The writer of one process: the program's own, on a disk that fails now and then. */
export class Disk implements Writing {
  readonly #world: World;
  readonly #owner: Owner;
  readonly #chaos: Chaos;
  readonly #watch: DiskWatch;
  readonly #db: Database;
  readonly #die: () => void;
  readonly #reply: (request: WriterRequest) => WriterReply;
  /** Writing calls until one fails, and whether all do from then on, up to the end of the request. */
  #failIn: number | null = null;
  #failsOn = false;
  #dieIn: number | null = null;

  constructor(
    world: World,
    owner: Owner,
    chaos: Chaos,
    watch: DiskWatch,
    db: Database,
    limits: HealthLimits,
    die: () => void,
  ) {
    this.#world = world;
    this.#owner = owner;
    this.#chaos = chaos;
    this.#watch = watch;
    this.#db = db;
    this.#die = die;
    this.#reply = makeReply(
      guarded(db, (text) => this.#beforeWrite(text)),
      limits,
    );
  }

  async request(request: WriterRequest): Promise<WriterReply> {
    if (request.kind === 'group' || request.kind === 'begin') {
      this.#pauseNow(request);
      await this.#world.pass(this.#world.latency(), this.#owner);
      this.#plan();
    }
    const reply = request.kind === 'group' ? this.#runGroup(request) : await this.#runQuery(request);
    const isOver = request.kind === 'group' || (request.kind === 'commit' && !this.#db.inTransaction);
    if (isOver) await this.#world.pass(this.#world.latency(), this.#owner);
    if (reply.kind === 'failed') throw storeError(reply.error);
    return reply;
  }

  async close(): Promise<void> {}

  #runGroup(request: WriterRequest & { kind: 'group' }): WriterReply {
    const ops = unpackGroup(request);
    this.#watch.before();
    const reply = this.#reply(request);
    if (reply.kind !== 'group') return reply;
    this.#watch.ran(this.#owner, ops, unpackOutcomes(reply));
    this.#watch.committed(this.#owner);
    const lost =
      this.#chaos.unknownOutcomes && ops.every(({ kind }) => repeatable.has(kind)) && this.#world.random.chance(0.03);
    return lost ? this.#lose(ops.map(({ kind }) => kind).join(' ')) : reply;
  }

  /** A transaction of several requests runs in one go, as nobody else can write meanwhile; only the process may die in it. */
  async #runQuery(request: WriterRequest): Promise<WriterReply> {
    if (this.#dieIn !== null && this.#dieIn-- === 0 && request.kind !== 'begin') {
      if (this.#db.inTransaction) this.#db.exec('rollback');
      this.#world.note('dies in the middle of a transaction');
      this.#die();
      return new Promise(() => {});
    }
    const reply = this.#reply(request);
    if (request.kind !== 'commit' || reply.kind === 'failed') return reply;
    this.#watch.committed(this.#owner);
    return this.#chaos.unknownOutcomes && this.#world.random.chance(0.05) ? this.#lose('a transaction') : reply;
  }

  #lose(what: string): WriterReply {
    this.#world.note(`the answer to ${what} is lost`);
    return { kind: 'failed', error: { code: 'ECONNRESET', message: 'the answer is lost' } };
  }

  /** A process that is stopped just when it has asked, and comes back when its lease is over, is the one to fear. */
  #pauseNow(request: WriterRequest): void {
    const leases = request.kind === 'group' && unpackGroup(request).some(({ kind }) => kind === 'lease');
    if (!this.#chaos.pauses || !this.#world.random.chance(leases ? 0.05 : 0.01)) return;
    const ms = this.#world.random.int(7_000, 12_000);
    this.#owner.pausedUntil = this.#world.now + ms;
    this.#world.note(`paused for ${ms} ms just when it asked the disk`);
  }

  #plan(): void {
    const { random } = this.#world;
    const fails = this.#chaos.diskFaults && random.chance(this.#chaos.faultPart);
    this.#failIn = fails ? random.int(0, 8) : null;
    this.#failsOn = fails && random.chance(0.5);
    this.#dieIn = this.#chaos.kills && random.chance(0.03) ? random.int(0, 6) : null;
  }

  #beforeWrite(text: string): void {
    if (this.#failIn === null || /^\s*rollback/i.test(text)) return;
    if (this.#failIn-- > 0) return;
    if (!this.#failsOn) this.#failIn = null;
    else this.#failIn = 0;
    const code = this.#world.random.pick(codes);
    this.#world.note(`${code} at: ${text.trim().slice(0, 60).replaceAll(/\s+/g, ' ')}`);
    throw Object.assign(new Error('the disk failed'), { code });
  }
}
