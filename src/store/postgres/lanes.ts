import { PosthornError } from '../../core/errors.ts';
import type { HealthLimits } from '../../core/rules/health.ts';
import { GroupCommit, type Outcome } from '../group-commit.ts';
import type { JourneyOp, JourneyResult } from '../journey-op.ts';
import { storeError } from '../store-error.ts';
import { accept } from './journey/accept.ts';
import { fanOut } from './journey/fan-out.ts';
import { lease } from './journey/lease.ts';
import { recordTest } from './journey/record-test.ts';
import { settle } from './journey/settle.ts';
import type { TypeIds } from './journey/type-ids.ts';
import { Unhanded } from './journey/unhanded.ts';
import { beat, giveBack, reapWorkers, registerWorker, retireWorker } from './journey/workers.ts';
import type { RunTransaction } from './transaction.ts';

/** Bounds how many rows one group writes, and with that how long it holds its endpoints. */
const groupRowsMax = 2_000;

type OpOf<K extends JourneyOp['kind']> = Extract<JourneyOp, { kind: K }>;
type LoneOp = Exclude<JourneyOp, OpOf<'accept' | 'settle'>>;
type Lanes = Pick<GroupCommit<JourneyOp, JourneyResult>, 'add' | 'idle'>;

/**
 * How the journey's operations become transactions. There are two lanes, each with one group under way: publishes in the
 * one, what the worker does in the other. With one lane for all, every publish would wait for a round of settling; with
 * more, leases and settles of the same process would wait for each other's endpoints. What is rare, and heartbeats,
 * which must not wait behind anything, go past both.
 */
export function makeLanes(run: RunTransaction, types: TypeIds, limits: HealthLimits): Lanes {
  const lone = makeLone(run, types);
  const publishes = new GroupCommit<OpOf<'accept'>, JourneyResult>(
    (ops) =>
      isolated(ops, (some) =>
        accept(
          run,
          types,
          some.map(({ batch }) => batch),
        ),
      ),
    groupRowsMax,
  );
  const work = new GroupCommit<Exclude<JourneyOp, OpOf<'accept'>>, JourneyResult>(async (ops) => {
    // Settles come first, together: what retires or reaps after them must not interrupt what was already sent.
    const outcomes = new Map<JourneyOp, Outcome<JourneyResult>>();
    const settles = ops.filter((op) => op.kind === 'settle');
    const settled = await isolated(settles, (some) => settleAll(run, types, limits, some));
    for (const [index, op] of settles.entries()) outcomes.set(op, settled[index] ?? noAnswer);
    for (const op of ops)
      if (op.kind !== 'settle') outcomes.set(op, (await isolated([op], async () => [await lone(op)]))[0] ?? noAnswer);
    return ops.map((op) => outcomes.get(op) ?? noAnswer);
  }, groupRowsMax);

  return {
    add(op, rows) {
      switch (op.kind) {
        case 'accept':
          return publishes.add(op, rows);
        case 'settle':
        case 'lease':
        case 'giveBack':
        case 'retireWorker':
        case 'reapWorkers':
          return work.add(op, rows);
        default:
          return lone(op);
      }
    },
    async idle() {
      await publishes.idle();
      await work.idle();
    },
  };
}

const noAnswer: Outcome<never> = { ok: false, error: new Error('the group commit gave no answer') };

/** Operations that have a transaction each. */
function makeLone(run: RunTransaction, types: TypeIds): (op: LoneOp) => Promise<JourneyResult> {
  const unhanded = new Unhanded();
  return (op) => {
    switch (op.kind) {
      case 'lease':
        return lease(run, unhanded, op);
      case 'giveBack':
        return giveBack(run, op.workerId, op.deliveryIds, op.dueAt);
      case 'retireWorker':
        return retireWorker(run, op.workerId, op.unsent, op.now);
      case 'reapWorkers':
        return reapWorkers(run, op.silentSince, op.now, op.leasesMax);
      case 'recordTest':
        return recordTest(run, types, op.test);
      case 'fanOut':
        return fanOut(run, op.step);
      case 'registerWorker':
        return registerWorker(run, op.name, op.now);
      case 'beat':
        return beat(run, op.workerId, op.now);
    }
  };
}

/** The settles of a group as one, and their answers apart again. */
async function settleAll(
  run: RunTransaction,
  types: TypeIds,
  limits: HealthLimits,
  ops: OpOf<'settle'>[],
): Promise<boolean[][]> {
  const made = ops.flatMap(({ workerId, settlements }) => settlements.map((settlement) => ({ workerId, settlement })));
  const held = await settle(run, types, limits, made);
  let from = 0;
  return ops.map(({ settlements }) => held.slice(from, (from += settlements.length)));
}

/** Does them together; when that fails, each by itself, so that a bad one costs only itself. */
async function isolated<Op, R>(ops: Op[], together: (ops: Op[]) => Promise<R[]>): Promise<Outcome<R>[]> {
  if (ops.length === 0) return [];
  try {
    return (await together(ops)).map((value) => ({ ok: true, value }));
  } catch (failure) {
    const error = storeError(failure);
    const away = error instanceof PosthornError && error.code === 'store_unavailable';
    // A database that is away or stuck would be so for each of them again.
    if (away || ops.length === 1) return ops.map(() => ({ ok: false, error }));
    const outcomes: Outcome<R>[] = [];
    for (const op of ops) outcomes.push(...(await isolated([op], together)));
    return outcomes;
  }
}
