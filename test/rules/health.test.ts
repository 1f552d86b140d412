import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointHealth } from '../../src/core/ports/endpoint-store.ts';
import type { HealthChange } from '../../src/core/ports/journey-store.ts';
import { activated, afterAttempt, type HealthLimits } from '../../src/core/rules/health.ts';

const healthy: EndpointHealth = {
  status: 'active',
  failureCount: 0,
  failingSince: null,
  lastDeliveredAt: null,
  lastAttemptAt: null,
  lastError: null,
  lastResponseCode: null,
  heldUntil: null,
  disabledReason: null,
  disabledAt: null,
};
const limits: HealthLimits = { disableAfterFailures: 3, disableAfterMs: 1_000 };

const success = (at: number): HealthChange => ({
  succeeded: true,
  at,
  error: null,
  responseCode: 204,
  holdUntil: null,
});
const failure = (at: number, more: Partial<HealthChange> = {}): HealthChange => ({
  succeeded: false,
  at,
  error: 'http_5xx',
  responseCode: 500,
  holdUntil: null,
  ...more,
});
const gone = (at: number) => failure(at, { error: 'http_4xx', responseCode: 410 });

function after(changes: HealthChange[], from = healthy, within = limits): EndpointHealth {
  return changes.reduce((health, change) => afterAttempt(health, change, within), from);
}

/** Attempts one after the other: what came of each, and how long after the one before it ended. */
const history = fc
  .array(fc.tuple(fc.constantFrom('ok', 'bad', 'bad', 'bad'), fc.integer({ min: 0, max: 800 })), {
    maxLength: 20,
    size: 'max',
  })
  .map((steps) => {
    let at = 1_000_000;
    return steps.map(([kind, passed]) => {
      at += passed;
      return kind === 'ok' ? success(at) : failure(at);
    });
  });

describe('failure_count', () => {
  it('is the number of failures since the last success, and failing_since the first of them', () => {
    fc.assert(
      fc.property(history, (changes) => {
        const since = changes.slice(changes.findLastIndex(({ succeeded }) => succeeded) + 1);
        const health = after(changes);
        expect(health.failureCount).toBe(since.length);
        expect(health.failingSince).toBe(since[0]?.at ?? null);
      }),
    );
  });

  it('goes on while the endpoint is paused or disabled, for attempts that were under way', () => {
    for (const status of ['paused', 'disabled', 'pending_approval'] as const) {
      expect(after([failure(1), failure(2)], { ...healthy, status }).failureCount).toBe(2);
    }
  });
});

describe('what was seen last', () => {
  it('is the last attempt and the last success', () => {
    fc.assert(
      fc.property(history, (changes) => {
        const health = after(changes);
        const last = changes.at(-1);
        expect(health.lastAttemptAt).toBe(last?.at ?? null);
        expect(health.lastResponseCode).toBe(last?.responseCode ?? null);
        expect(health.lastError).toBe(last?.error ?? null);
        expect(health.lastDeliveredAt).toBe(changes.findLast(({ succeeded }) => succeeded)?.at ?? null);
      }),
    );
  });

  it('is no response code where none came', () => {
    const health = after([failure(1), failure(2, { error: 'timeout', responseCode: null })]);
    expect(health).toMatchObject({ lastError: 'timeout', lastResponseCode: null });
  });
});

describe('disabling', () => {
  it('happens exactly when both thresholds are met without a success between', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 2_000 }), (changes, count, ms) => {
        let health = healthy;
        let failures = 0;
        let since: number | null = null;
        let disabledAt: number | null = null;
        for (const change of changes) {
          health = afterAttempt(health, change, { disableAfterFailures: count, disableAfterMs: ms });
          failures = change.succeeded ? 0 : failures + 1;
          since = change.succeeded ? null : (since ?? change.at);
          if (since !== null && failures >= count && change.at - since >= ms) disabledAt ??= change.at;
          expect(health.disabledAt).toBe(disabledAt);
          expect(health.status).toBe(disabledAt === null ? 'active' : 'disabled');
          expect(health.disabledReason).toBe(disabledAt === null ? null : 'repeated_failures');
        }
      }),
    );
  });

  it('needs the last failure and the last millisecond', () => {
    expect(after([failure(0), failure(999), failure(999)]).status).toBe('active');
    expect(after([failure(0), failure(1_000)]).status).toBe('active');
    expect(after([failure(0), failure(500), failure(1_000)]).status).toBe('disabled');
    expect(after([failure(0), failure(500), success(600), failure(1_000), failure(1_500)]).status).toBe('active');
  });

  it('happens at once on 410, which is no failure like others', () => {
    expect(after([gone(5)])).toMatchObject({
      status: 'disabled',
      disabledReason: 'gone',
      disabledAt: 5,
      failureCount: 1,
    });
    expect(after([gone(5)], { ...healthy, status: 'paused' })).toMatchObject({
      status: 'disabled',
      disabledReason: 'gone',
    });
    expect(after([failure(5, { responseCode: 404 })]).status).toBe('active');
  });

  it('never happens to one that waits for approval, which being made active again would then pass by', () => {
    const waiting: EndpointHealth = { ...healthy, status: 'pending_approval' };
    expect(after([gone(5), failure(6), failure(600), failure(5_000)], waiting)).toMatchObject({
      status: 'pending_approval',
      disabledReason: null,
    });
  });

  it('keeps its first reason and time', () => {
    const worn = after([failure(0), failure(500), failure(1_000), gone(2_000), failure(3_000)]);
    expect(worn).toMatchObject({ disabledReason: 'repeated_failures', disabledAt: 1_000, failureCount: 5 });
    const left = after([gone(0), failure(1), failure(2), failure(5_000)]);
    expect(left).toMatchObject({ disabledReason: 'gone', disabledAt: 0 });
  });

  it('is not undone by a success that was under way', () => {
    const health = after([gone(0), success(1)]);
    expect(health).toMatchObject({ status: 'disabled', disabledReason: 'gone', failureCount: 0, lastDeliveredAt: 1 });
  });

  it('leaves a paused endpoint paused', () => {
    const paused = { ...healthy, status: 'paused' as const };
    expect(after([failure(0), failure(500), failure(5_000)], paused)).toMatchObject({
      status: 'paused',
      failureCount: 3,
    });
  });
});

describe('a hold', () => {
  it('ends at the latest time that any answer asked for', () => {
    expect(after([failure(0, { holdUntil: 500 }), failure(1, { holdUntil: 300 })]).heldUntil).toBe(500);
    expect(after([failure(0, { holdUntil: 300 }), failure(1, { holdUntil: 500 })]).heldUntil).toBe(500);
    expect(after([failure(0, { holdUntil: 300 }), failure(1)]).heldUntil).toBe(300);
  });

  it('is not ended by a success that was under way', () => {
    expect(after([failure(0, { holdUntil: 300 }), success(1)]).heldUntil).toBe(300);
  });
});

describe('being made active', () => {
  it('forgets counters, disabling and hold, and keeps what happened', () => {
    fc.assert(
      fc.property(history, (changes) => {
        const before = after([...changes, failure(9_000_000, { holdUntil: 9_500_000 }), gone(9_100_000)]);
        const { lastAttemptAt, lastDeliveredAt, lastError, lastResponseCode } = before;
        expect(before.status).toBe('disabled');
        expect(activated(before)).toEqual({ ...healthy, lastAttemptAt, lastDeliveredAt, lastError, lastResponseCode });
      }),
    );
  });

  it('gives a whole new count', () => {
    const again = activated(after([failure(0), failure(500), failure(1_000)]));
    expect(after([failure(5_000), failure(5_999)], again).status).toBe('active');
  });
});

it('an attempt changes nothing of the health that it was given', () => {
  const given = Object.freeze({ ...healthy });
  const health = afterAttempt(given, failure(1), limits);
  expect(given).toEqual(healthy);
  expect(health).not.toBe(given);
});
