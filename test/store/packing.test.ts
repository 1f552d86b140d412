import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AcceptResult, Settlement } from '../../src/core/ports/journey-store.ts';
import { attemptErrors } from '../../src/core/vocabulary.ts';
import type { Outcome } from '../../src/store/group-commit.ts';
import type { JourneyOp, JourneyResult } from '../../src/store/journey-op.ts';
import { packGroup, packOutcomes, unpackGroup, unpackOutcomes } from '../../src/store/sqlite/packing.ts';

const id = fc.nat({ max: 2 ** 40 });
const time = fc.integer({ min: 0, max: 2 ** 42 });
const text = fc.string({ unit: 'grapheme' });

const accept = fc.record({
  workspaceId: id,
  matchableVersion: id,
  now: time,
  events: fc.array(
    fc.record({
      publicId: text,
      type: text,
      data: text,
      occurredAt: time,
      endpointIds: fc.array(id),
      fanOutNow: fc.boolean(),
    }),
  ),
});
const code = fc.option(fc.integer({ min: 100, max: 599 }));
const fault = fc.option(fc.constantFrom(...attemptErrors));
const settlement = fc
  .record({
    ids: fc.tuple(id, id, id, fc.nat(), fc.integer({ min: 1, max: 99 })),
    eventType: text,
    at: fc.tuple(time, fc.nat(), time, fc.option(time)),
    outcome: fc.tuple(code, fault, fc.option(fc.uint8Array({ minLength: 1 }))),
    next: fc.oneof(
      fc.record({ state: fc.constant('pending' as const), dueAt: time }),
      fc.record({ state: fc.constantFrom('succeeded' as const, 'failed' as const) }),
    ),
  })
  .map(({ ids, eventType, at, outcome, next }): Settlement => {
    const [deliveryId, workspaceId, endpointId, endpointVersion, attemptNumber] = ids;
    const [startedAt, durationMs, healthAt, holdUntil] = at;
    const [responseCode, error, body] = outcome;
    return {
      deliveryId,
      workspaceId,
      endpointId,
      endpointVersion,
      attemptNumber,
      eventType,
      attempt: { startedAt, durationMs, responseCode, error, excerpt: body === null ? null : Buffer.from(body) },
      next,
      health: { succeeded: error === null, at: healthAt, error, responseCode, holdUntil },
    };
  });
const op: fc.Arbitrary<JourneyOp> = fc.oneof(
  accept.map((batch): JourneyOp => ({ kind: 'accept', batch })),
  fc
    .tuple(id, fc.array(settlement, { minLength: 1, maxLength: 5 }))
    .map(([workerId, settlements]): JourneyOp => ({ kind: 'settle', workerId, settlements })),
  fc.tuple(id, time).map(([workerId, now]): JourneyOp => ({ kind: 'beat', workerId, now })),
);

describe('what crosses between the threads', () => {
  it('arrives as the operations that were sent', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 8 }), (ops) => {
        expect(unpackGroup(structuredClone(packGroup(ops)))).toEqual(ops);
      }),
    );
  });

  it('comes back as their outcomes, each with its own operation', () => {
    const stored = fc
      .array(fc.record({ deliveries: fc.nat({ max: 2_000 }), repeated: fc.boolean() }))
      .map((events): AcceptResult => ({ outcome: 'stored', events }));
    const refused = fc.constantFrom<AcceptResult>({ outcome: 'stale' }, { outcome: 'conflict', index: 3 });
    const failed = fc.constant<Outcome<JourneyResult>>({ ok: false, error: { code: 'SQLITE_FULL', message: 'full' } });
    const ok = (value: fc.Arbitrary<JourneyResult>) =>
      value.map((one): Outcome<JourneyResult> => ({ ok: true, value: one }));
    const of: { [K in 'accept' | 'settle' | 'beat']: fc.Arbitrary<Outcome<JourneyResult>> } = {
      accept: fc.oneof(ok(stored), ok(refused), failed),
      settle: fc.oneof(ok(fc.array(fc.boolean())), failed),
      beat: fc.oneof(ok(fc.boolean()), failed),
    };
    const one = op.chain((sent) =>
      of[sent.kind as keyof typeof of].map((outcome): [JourneyOp, Outcome<JourneyResult>] => [sent, outcome]),
    );
    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), (pairs) => {
        const outcomes = pairs.map(([, outcome]) => outcome);
        const ops = pairs.map(([sent]) => sent);
        expect(unpackOutcomes(structuredClone(packOutcomes(ops, outcomes)))).toEqual(outcomes);
      }),
    );
  });
});
