import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterAnswer,
  downAfterFailures,
  failingPace,
  isDown,
  openPace,
  type Pace,
  startsPerSecond,
} from '../../src/core/rules/pace.ts';

const max = 64;
const ok = { error: null, responseCode: 204 } as const;
const wrong = { error: 'http_4xx', responseCode: 400 } as const;
const overloads = [
  { error: 'timeout', responseCode: null },
  { error: 'connect_refused', responseCode: null },
  { error: 'connection_reset', responseCode: null },
  { error: 'dns_failed', responseCode: null },
  { error: 'tls_failed', responseCode: null },
  { error: 'http_5xx', responseCode: 503 },
  { error: 'http_4xx', responseCode: 429 },
] as const;
const timeout = overloads[0];
const run = (outcomes: readonly Parameters<typeof afterAnswer>[2][], from: Pace = openPace(max), now = 0) =>
  outcomes.reduce((pace, outcome) => afterAnswer(pace, max, outcome, now), from);
const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

describe('the window', () => {
  it('starts wide open, or at one where the endpoint is known to fail', () => {
    expect(openPace(max)).toMatchObject({ window: max });
    expect(startsPerSecond(openPace(max), 0)).toBeNull();
    expect(isDown(failingPace())).toBe(true);
  });

  it.each(overloads)('halves with %j', (outcome) => {
    expect(run([outcome]).window).toBe(32);
    expect(run(times(6, outcome)).window).toBe(1);
  });

  it('grows by one with every answer, a refusal too, and no further than the maximum', () => {
    expect(run([...times(6, timeout), ok, wrong]).window).toBe(3);
    expect(run(times(200, ok)).window).toBe(max);
  });

  it('stays between one and the maximum whatever happens, and is at the maximum while nothing failed', () => {
    const outcome = fc.constantFrom(ok, wrong, ...overloads);
    fc.assert(
      fc.property(fc.array(outcome), (outcomes) => {
        const { window } = run(outcomes);
        expect(window).toBeGreaterThanOrEqual(1);
        expect(window).toBeLessThanOrEqual(max);
        if (outcomes.every((one) => one === ok || one === wrong)) expect(window).toBe(max);
      }),
    );
  });
});

describe('an endpoint that is down', () => {
  const down = run(times(downAfterFailures, timeout));

  it('is asked four times a second', () => {
    expect(isDown(run(times(downAfterFailures - 1, timeout)))).toBe(false);
    expect(isDown(down)).toBe(true);
    expect(startsPerSecond(down, 0)).toBe(4);
  });

  it('comes back with at most 100 a second in the first ten seconds, then at most twice as many every ten', () => {
    const back = afterAnswer(down, max, ok, 5_000);
    const at = (seconds: number) => startsPerSecond(back, 5_000 + seconds * 1_000) ?? Number.POSITIVE_INFINITY;
    expect(at(0)).toBeLessThanOrEqual(100);
    expect(at(9.999)).toBe(at(0));
    for (let seconds = 0; seconds < 90; seconds++) expect(at(seconds + 10)).toBeLessThanOrEqual(at(seconds) * 2);
    expect(at(100)).toBe(Number.POSITIVE_INFINITY);
    expect(run(times(5, ok), back, 105_000).backSince).toBeNull();
  });

  it('starts over when it fails again while it comes back', () => {
    const back = afterAnswer(down, max, ok, 0);
    expect(isDown(run(times(downAfterFailures, timeout), back))).toBe(true);
  });
});
