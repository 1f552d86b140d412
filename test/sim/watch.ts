import type { Database } from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { LeasedBatch } from '../../src/core/ports/journey-store.ts';
import type { Outcome } from '../../src/store/group-commit.ts';
import type { JourneyOp, JourneyResult } from '../../src/store/journey-op.ts';
import { deliveryState, endpointStatus, type Tables } from '../../src/store/tables.ts';
import { contradictions } from '../support/invariants.ts';
import { guarded } from './database.ts';
import type { DiskWatch } from './disk.ts';
import type { Owner, World } from './world.ts';

/** While a deletion goes on in steps, this one may be broken for a moment. */
const inTheEnd = 'a deleted endpoint is owed nothing';

const compiler = new Kysely<Tables>({
  dialect: new SqliteDialect({ database: () => Promise.reject(new Error('compiles only')) }),
});

/** Looks over the shoulder of the database: who holds which lease, what is owed, what contradicts itself. */
export class Watch implements DiskWatch {
  readonly #world: World;
  readonly #db: Database;
  readonly #latestClock: () => number;
  readonly #onCommit: (owner: Owner) => void;
  #leases = new Map<number, string>();
  readonly #settledNow = new Set<number>();
  #active: { id: number; events: string }[] = [];
  /** By public id of an event, the endpoints that were active and wanted it when it was stored. */
  readonly owed = new Map<string, number[]>();
  /** By public id of an event, when it was stored. */
  readonly storedAt = new Map<string, number>();

  constructor(world: World, db: Database, latestClock: () => number, onCommit: (owner: Owner) => void) {
    this.#world = world;
    this.#db = guarded(db, () => {});
    this.#latestClock = latestClock;
    this.#onCommit = onCommit;
  }

  before(): void {
    this.#leases = this.#readLeases();
    this.#settledNow.clear();
    this.#active = this.#db
      .prepare<[], { id: number; events: string }>(
        `select id, events from endpoints where status = ${endpointStatus.active}`,
      )
      .all();
  }

  ran(_owner: Owner, ops: JourneyOp[], outcomes: Outcome<JourneyResult>[]): void {
    const frees = ops.some(({ kind }) => kind === 'reapWorkers' || kind === 'retireWorker' || kind === 'giveBack');
    for (const [index, op] of ops.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok !== true) continue;
      if (op.kind === 'accept') this.#accepted(op, outcome.value);
      if (op.kind === 'lease' && !frees) this.#leased(outcome.value as LeasedBatch);
      if (op.kind === 'settle') this.#settled(op, outcome.value as boolean[], frees);
      // What was settled may be due at once, and leased in the same transaction.
      if (op.kind === 'settle') for (const { deliveryId } of op.settlements) this.#settledNow.add(deliveryId);
    }
  }

  committed(owner: Owner): void {
    this.#onCommit(owner);
    if (this.#world.random.chance(0.08)) this.check(false);
  }

  /** Compares the rows with each other. */
  check(ended: boolean): void {
    const now = this.#latestClock();
    for (const [sentence, find] of Object.entries(contradictions)) {
      if (sentence === inTheEnd && !ended) continue;
      const { sql, parameters } = find(now).compile(compiler);
      const found = this.#db.prepare<unknown[], { id: number }>(sql).all(...parameters);
      if (found.length > 0) this.#world.fault(`not so: ${sentence} (rows ${found.map(({ id }) => id).join(', ')})`);
    }
    const broken = this.#db.prepare<[], { sentence: string }>('select sentence from broken').all();
    for (const { sentence } of broken) this.#world.fault(sentence);
    const miscounted = this.#db
      .prepare<[], { id: number; failure_count: number; failures: number }>(
        `select e.id, e.failure_count, c.failures from endpoints e join counted c on c.endpoint_id = e.id
         where e.failure_count <> c.failures and e.status <> ${endpointStatus.deleted}`,
      )
      .all();
    for (const { id, failure_count, failures } of miscounted)
      this.#world.fault(`failure_count of endpoint ${id} is ${failure_count}, and its log says ${failures}`);
  }

  /** By delivery, the worker and the attempt that its lease is for. */
  #readLeases(): Map<number, string> {
    const rows = this.#db
      .prepare<[], { id: number; worker_id: number; attempts: number }>(
        `select id, worker_id, attempts from deliveries where state = ${deliveryState.leased}`,
      )
      .all();
    return new Map(rows.map(({ id, worker_id, attempts }) => [id, `${worker_id}/${attempts + 1}`]));
  }

  #accepted({ batch }: JourneyOp & { kind: 'accept' }, result: JourneyResult): void {
    if (typeof result !== 'object' || result === null || !('outcome' in result) || result.outcome !== 'stored') return;
    for (const [index, event] of batch.events.entries()) {
      if (result.events[index]?.repeated !== false) continue;
      const wanting = this.#active.filter(({ events }) => wants(JSON.parse(events) as string[], event.type));
      if (this.owed.has(event.publicId)) this.#world.fault(`${event.publicId} was stored twice`);
      this.owed.set(
        event.publicId,
        wanting.map(({ id }) => id),
      );
      this.storedAt.set(event.publicId, this.#world.now);
    }
  }

  #leased({ deliveries }: LeasedBatch): void {
    for (const { id } of deliveries)
      if (this.#leases.has(id) && !this.#settledNow.has(id))
        this.#world.fault(`delivery ${id} was claimed while its lease was held`);
  }

  #settled({ workerId, settlements }: JourneyOp & { kind: 'settle' }, answers: boolean[], frees: boolean): void {
    for (const [index, { deliveryId, attemptNumber }] of settlements.entries()) {
      const isHeld = this.#leases.get(deliveryId) === `${workerId}/${attemptNumber}`;
      if (answers[index] === true && !isHeld)
        this.#world.fault(`a stale settle of delivery ${deliveryId} was recorded`);
      if (answers[index] === false && isHeld && !frees)
        this.#world.fault(`a settle of delivery ${deliveryId} was refused although its lease was held`);
    }
  }
}

/** The rule of matching again, for the few patterns that are used here. */
function wants(patterns: string[], type: string): boolean {
  return patterns.some((pattern) => pattern === '*' || pattern === type);
}
