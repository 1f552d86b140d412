import type { LeasedBatch, Settlement } from '../../core/ports.ts';
import type { Outcome } from '../group-commit.ts';
import type { JourneyOp, JourneyResult } from '../journey-op.ts';
import { errorCode, errorOf } from '../tables.ts';

/**
 * Settlements and leases, by far the most that crosses between the threads, cross as columns of numbers: a structured
 * clone of the objects themselves took a third of the writer's time. −1 stands for null.
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

/** The operations of one transaction. Null stands where the next of `settles` belongs. */
export interface PackedGroup {
  ops: (Exclude<JourneyOp, SettleOp> | null)[];
  settles: PackedSettles;
}

/** `settled`: as many of `held` as the operation has settlements, 1 where the lease was held. */
export type PackedOutcome =
  | { kind: 'settled'; count: number }
  | { kind: 'leased'; batch: PackedLease }
  | { kind: 'other'; outcome: Outcome<JourneyResult> };

export function packGroup(ops: JourneyOp[]): PackedGroup {
  const settles = ops.filter((op) => op.kind === 'settle');
  return { ops: ops.map((op) => (op.kind === 'settle' ? null : op)), settles: packSettles(settles) };
}

export function unpackGroup({ ops, settles }: PackedGroup): JourneyOp[] {
  const unpacked = unpackSettles(settles).values();
  return ops.map((op) => op ?? (unpacked.next().value as SettleOp));
}

export function packOutcomes(ops: JourneyOp[], outcomes: Outcome<JourneyResult>[]) {
  const held: number[] = [];
  const packed = outcomes.map((outcome, index): PackedOutcome => {
    const kind = ops[index]?.kind;
    if (outcome.ok && kind === 'settle') {
      const answers = outcome.value as boolean[];
      for (const answer of answers) held.push(answer ? 1 : 0);
      return { kind: 'settled', count: answers.length };
    }
    if (outcome.ok && kind === 'lease') return { kind: 'leased', batch: packLease(outcome.value as LeasedBatch) };
    return { kind: 'other', outcome };
  });
  return { outcomes: packed, held: Uint8Array.from(held) };
}

export function unpackOutcomes(outcomes: PackedOutcome[], held: Uint8Array): Outcome<JourneyResult>[] {
  let index = 0;
  return outcomes.map((packed) => {
    switch (packed.kind) {
      case 'settled':
        index += packed.count;
        return { ok: true, value: Array.from(held.subarray(index - packed.count, index), (one) => one === 1) };
      case 'leased':
        return { ok: true, value: unpackLease(packed.batch) };
      case 'other':
        return packed.outcome;
    }
  });
}
