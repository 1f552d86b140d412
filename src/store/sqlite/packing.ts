import type { AcceptResult, LeasedBatch, Settlement } from '../../core/ports/journey-store.ts';
import type { Outcome } from '../group-commit.ts';
import type { JourneyOp, JourneyResult } from '../journey-op.ts';
import { errorCode, errorOf } from '../tables.ts';
import { type AcceptOp, type PackedAccepts, packAccepts, unpackAccepts } from './pack-accepts.ts';

/**
 * Events, settlements and leases, by far the most that crosses between the threads, cross as columns of numbers: a
 * structured clone of the objects themselves took a third of the writer's time. −1 stands for null.
 */
const settlementColumns = 14;
const deliveryColumns = 7;
const noValue = -1;
const failedForGood = -2;

export type SettleOp = JourneyOp & { kind: 'settle' };

export interface PackedSettles {
  /** How many settlements each operation has. */
  counts: number[];
  numbers: Float64Array;
  /** Names of event types; the numbers point into it. */
  types: string[];
  excerpts: { index: number; body: Uint8Array }[];
}

export function packSettles(ops: SettleOp[]): PackedSettles {
  const all = ops.flatMap(({ workerId, settlements }) => settlements.map((one) => ({ workerId, one })));
  const packed: PackedSettles = {
    counts: ops.map(({ settlements }) => settlements.length),
    numbers: new Float64Array(all.length * settlementColumns),
    types: [],
    excerpts: [],
  };
  for (const [index, { workerId, one }] of all.entries()) {
    const { attempt, next, health } = one;
    let type = packed.types.lastIndexOf(one.eventType);
    if (type < 0) type = packed.types.push(one.eventType) - 1;
    if (attempt.excerpt !== null) packed.excerpts.push({ index, body: attempt.excerpt });
    packed.numbers.set(
      [
        workerId,
        one.deliveryId,
        one.workspaceId,
        one.endpointId,
        one.endpointVersion,
        type,
        one.attemptNumber,
        attempt.startedAt,
        attempt.durationMs,
        attempt.responseCode ?? noValue,
        errorCode(attempt.error) ?? noValue,
        next.state === 'pending' ? next.dueAt : next.state === 'succeeded' ? noValue : failedForGood,
        health.at,
        health.holdUntil ?? noValue,
      ],
      index * settlementColumns,
    );
  }
  return packed;
}

export function unpackSettles({ counts, numbers, types, excerpts }: PackedSettles): SettleOp[] {
  const bodies = new Map(excerpts.map(({ index, body }) => [index, Buffer.from(body)]));
  let index = 0;
  return counts.map((count) => {
    const first = index;
    const settlements: Settlement[] = [];
    for (; index < first + count; index++) settlements.push(unpackSettlement(numbers, index, types, bodies.get(index)));
    return { kind: 'settle', workerId: numbers[first * settlementColumns] ?? 0, settlements };
  });
}

function unpackSettlement(numbers: Float64Array, index: number, types: string[], excerpt?: Buffer): Settlement {
  const start = index * settlementColumns;
  const column = (offset: number): number => numbers[start + offset] as number;
  const orNull = (value: number): number | null => (value === noValue ? null : value);
  const responseCode = orNull(column(9));
  const error = errorOf(orNull(column(10)));
  const dueAt = column(11);
  return {
    deliveryId: column(1),
    workspaceId: column(2),
    endpointId: column(3),
    endpointVersion: column(4),
    eventType: types[column(5)] ?? '',
    attemptNumber: column(6),
    attempt: { startedAt: column(7), durationMs: column(8), responseCode, error, excerpt: excerpt ?? null },
    next: dueAt >= 0 ? { state: 'pending', dueAt } : { state: dueAt === noValue ? 'succeeded' : 'failed' },
    health: { succeeded: error === null, at: column(12), error, responseCode, holdUntil: orNull(column(13)) },
  };
}

export interface PackedLease {
  deliveries: Float64Array;
  eventIds: Float64Array;
  occurredAt: Float64Array;
  /** Three for each event: public id, type, data. */
  texts: string[];
}

export function packLease({ deliveries, events }: LeasedBatch): PackedLease {
  const numbers = new Float64Array(deliveries.length * deliveryColumns);
  for (const [index, one] of deliveries.entries()) {
    const { id, workspaceId, endpointId, eventId, endpointVersion, attempts, steps } = one;
    numbers.set([id, workspaceId, endpointId, eventId, endpointVersion, attempts, steps], index * deliveryColumns);
  }
  const all = [...events.values()];
  return {
    deliveries: numbers,
    eventIds: Float64Array.from(events.keys()),
    occurredAt: Float64Array.from(all, ({ occurredAt }) => occurredAt),
    texts: all.flatMap(({ publicId, type, data }) => [publicId, type, data]),
  };
}

export function unpackLease({ deliveries, eventIds, occurredAt, texts }: PackedLease): LeasedBatch {
  const batch: LeasedBatch = { deliveries: [], events: new Map() };
  const text = (index: number): string => texts[index] as string;
  for (const [index, id] of eventIds.entries()) {
    batch.events.set(id, {
      publicId: text(index * 3),
      type: text(index * 3 + 1),
      data: text(index * 3 + 2),
      occurredAt: occurredAt[index] as number,
    });
  }
  for (let start = 0; start < deliveries.length; start += deliveryColumns) {
    const column = (offset: number): number => deliveries[start + offset] as number;
    batch.deliveries.push({
      id: column(0),
      workspaceId: column(1),
      endpointId: column(2),
      eventId: column(3),
      endpointVersion: column(4),
      attempts: column(5),
      steps: column(6),
    });
  }
  return batch;
}

/** The operations of one transaction. A kind stands where the next of `settles` or `accepts` belongs. */
export interface PackedGroup {
  ops: (Exclude<JourneyOp, SettleOp | AcceptOp> | 'settle' | 'accept')[];
  settles: PackedSettles;
  accepts: PackedAccepts;
}

export function packGroup(ops: JourneyOp[]): PackedGroup {
  return {
    ops: ops.map((op) => (op.kind === 'settle' || op.kind === 'accept' ? op.kind : op)),
    settles: packSettles(ops.filter((op) => op.kind === 'settle')),
    accepts: packAccepts(ops.filter((op) => op.kind === 'accept')),
  };
}

export function unpackGroup(packed: PackedGroup): JourneyOp[] {
  const settles = unpackSettles(packed.settles).values();
  const accepts = unpackAccepts(packed.accepts).values();
  return packed.ops.map((op) => {
    if (op === 'settle') return settles.next().value as SettleOp;
    return op === 'accept' ? (accepts.next().value as AcceptOp) : op;
  });
}

/** `settled` and `stored`: so many of `held`, or of `stored`, belong to the operation. */
export type PackedOutcome =
  | { kind: 'settled'; count: number }
  | { kind: 'stored'; count: number }
  | { kind: 'leased'; batch: PackedLease }
  | { kind: 'other'; outcome: Outcome<JourneyResult> };

export interface PackedOutcomes {
  outcomes: PackedOutcome[];
  /** For each settlement 1 where the lease was held. */
  held: Uint8Array;
  /** For each stored event twice its deliveries, and one more where it is a repeated one. */
  stored: Float64Array;
}

export function packOutcomes(ops: JourneyOp[], outcomes: Outcome<JourneyResult>[]): PackedOutcomes {
  const held: number[] = [];
  const stored: number[] = [];
  const packed = outcomes.map((outcome, index): PackedOutcome => {
    const kind = ops[index]?.kind;
    if (!outcome.ok) return { kind: 'other', outcome };
    if (kind === 'settle') {
      const answers = outcome.value as boolean[];
      for (const answer of answers) held.push(answer ? 1 : 0);
      return { kind: 'settled', count: answers.length };
    }
    if (kind === 'accept') {
      const result = outcome.value as AcceptResult;
      if (result.outcome !== 'stored') return { kind: 'other', outcome };
      for (const { deliveries, repeated } of result.events) stored.push(deliveries * 2 + (repeated ? 1 : 0));
      return { kind: 'stored', count: result.events.length };
    }
    if (kind === 'lease') return { kind: 'leased', batch: packLease(outcome.value as LeasedBatch) };
    return { kind: 'other', outcome };
  });
  return { outcomes: packed, held: Uint8Array.from(held), stored: Float64Array.from(stored) };
}

export function unpackOutcomes({ outcomes, held, stored }: PackedOutcomes): Outcome<JourneyResult>[] {
  let settles = 0;
  let events = 0;
  return outcomes.map((packed) => {
    switch (packed.kind) {
      case 'settled':
        settles += packed.count;
        return { ok: true, value: Array.from(held.subarray(settles - packed.count, settles), (one) => one === 1) };
      case 'stored':
        events += packed.count;
        return { ok: true, value: storedResult(stored.subarray(events - packed.count, events)) };
      case 'leased':
        return { ok: true, value: unpackLease(packed.batch) };
      case 'other':
        return packed.outcome;
    }
  });
}

function storedResult(stored: Float64Array): AcceptResult {
  const event = (one: number) => ({ deliveries: Math.floor(one / 2), repeated: one % 2 === 1 });
  return { outcome: 'stored', events: Array.from(stored, event) };
}
