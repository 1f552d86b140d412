import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterAnswer,
  downAfterFailures,
  failingPace,
  isDown,
  openPace,
  type Pace,
  type PaceOutcome,
  startsPerSecond,
} from '../../src/core/rules/pace.ts';
import { attemptErrors } from '../../src/core/vocabulary.ts';

const ok: PaceOutcome = { error: null, responseCode: 204 };
const overloaded: PaceOutcome = { error: 'timeout', responseCode: null };
const now = 1_000_000;

function after(outcomes: PaceOutcome[], windowMax = 64, from = openPace(windowMax)): Pace {
  return outcomes.reduce((pace, outcome) => afterAnswer(pace, windowMax, outcome, now), from);
}
const times = (count: number, outcome: PaceOutcome) => Array.from({ length: count }, () => outcome);

describe('an endpoint without a recorded failure', () => {
  it('has its whole window at once, and nothing else bounds it', () => {
    expect(openPace(64)).toEqual({ window: 64, failures: 0, backSince: null });
    expect(startsPerSecond(openPace(64), now)).toBeNull();
    expect(after(times(100, ok))).toEqual(openPace(64));
  });
});

describe('a failing endpoint', () => {
  it('gets half its window with every sign of overload, and one more with every answer', () => {
    const windows = [1, 2, 3, 4, 5, 6, 7].map((count) => after(times(count, overloaded)).window);
    expect(windows).toEqual([32, 16, 8, 4, 2, 1, 1]);
    expect(after([overloaded, ok, ok]).window).toBe(34);
  });

  it('counts as down after eight failures in a row with the window narrowed to one, and is then asked four times a second', () => {
    expect(downAfterFailures).toBe(8);
    expect(isDown(after(times(7, overloaded)))).toBe(false);
    expect(isDown(after(times(8, overloaded)))).toBe(true);
    expect(isDown(after(times(8, overloaded), 10_000))).toBe(false);
    expect(isDown(after([...times(7, overloaded), ok, overloaded]))).toBe(false);
    expect(startsPerSecond(after(times(7, overloaded)), now)).toBeNull();
    expect(startsPerSecond(after(times(8, overloaded)), now)).toBe(4);
  });

  it('that is known to fail begins as if it had just been found down', () => {
    expect(isDown(failingPace())).toBe(true);
    expect(failingPace().window).toBe(1);
  });

  it.each(attemptErrors)('and an attempt that ended with %s', (error) => {
    const signs = ['timeout', 'connect_refused', 'connection_reset', 'dns_failed', 'tls_failed', 'http_5xx'];
    const responseCode = error === 'http_5xx' ? 503 : error === 'http_4xx' ? 404 : null;
    expect(after([{ error, responseCode }]).window).toBe(signs.includes(error) ? 32 : 64);
  });

  it('and a 429, which tells of overload as other refusals do not', () => {
    expect(after([{ error: 'http_4xx', responseCode: 429 }]).window).toBe(32);
    expect(after([{ error: 'http_4xx', responseCode: 428 }]).window).toBe(64);
  });
});

describe('an endpoint that came back', () => {
  const back = after([ok], 64, failingPace());
  const perSecond = (seconds: number) => startsPerSecond(back, now + seconds * 1_000);

  it('begins with 80 a second, doubled every ten seconds, and is free after a hundred', () => {
    expect(back).toEqual({ window: 2, failures: 0, backSince: now });
    expect([0, 9.999, 10, 19.999, 20, 99.999, 100].map(perSecond)).toEqual([80, 80, 160, 160, 320, 40_960, null]);
  });

  it('keeps the time since when while it answers, until the ramp is over', () => {
    expect(afterAnswer(back, 64, ok, now + 99_999).backSince).toBe(now);
    expect(afterAnswer(back, 64, ok, now + 100_000).backSince).toBeNull();
  });

  it('keeps it when it fails again, with half its window', () => {
    expect(afterAnswer(back, 64, overloaded, now)).toEqual({ window: 1, failures: 1, backSince: now });
    expect(afterAnswer(back, 64, overloaded, now + 100_000).backSince).toBeNull();
  });

  it('starts over when it has been down again', () => {
    const down = after(times(9, overloaded), 64, back);
    expect(startsPerSecond(down, now)).toBe(4);
    expect(afterAnswer(down, 64, ok, now + 50_000).backSince).toBe(now + 50_000);
  });

  const later = fc.array(fc.record({ outcome: fc.constantFrom(ok, ok, ok, overloaded), ms: fc.nat(4_000) }), {
    maxLength: 80,
    size: 'max',
  });

  it('gets no more than the ramp, whatever fails on the way, until a hundred seconds have passed', () => {
    fc.assert(
      fc.property(later, (events) => {
        let at = now;
        let [pace, since] = [back, now];
        for (const { outcome, ms } of events) {
          at += ms;
          if (isDown(pace) && outcome === ok) since = at;
          pace = afterAnswer(pace, 64, outcome, at);
          const bound = at - since < 100_000 ? 80 * 2 ** Math.floor((at - since) / 10_000) : Number.POSITIVE_INFINITY;
          expect(startsPerSecond(pace, at) ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(bound);
        }
      }),
    );
  });

  it('is free in the end although one in a hundred fails', () => {
    let [pace, at] = [back, now];
    for (let count = 0; count < 12_000; count++) {
      at += 10;
      pace = afterAnswer(pace, 64, count % 100 === 99 ? overloaded : ok, at);
    }
    expect(startsPerSecond(pace, at)).toBeNull();
  });
});

describe('a clock that is set back while an endpoint comes back', () => {
  const back = after([ok], 64, failingPace());
  const setBackMs = fc.integer({ min: 1, max: 3_600_000 });

  it('leaves it at 80 a second, and lets the ramp begin anew', () => {
    fc.assert(
      fc.property(setBackMs, fc.constantFrom(ok, overloaded), (ms, outcome) => {
        expect(startsPerSecond(back, now - ms)).toBe(80);
        const pace = afterAnswer(back, 64, outcome, now - ms);
        expect([0, 9_999, 10_000, 100_000].map((more) => startsPerSecond(pace, now - ms + more))).toEqual([
          80,
          80,
          160,
          null,
        ]);
      }),
    );
  });
});

describe('whatever happened', () => {
  const outcome = fc.constantFrom(ok, overloaded, overloaded);
  const windowMax = fc.integer({ min: 1, max: 1_000 });

  it('the window is a whole number between one and its maximum, and failures are those since the last answer', () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 40, size: 'max' }), windowMax, (outcomes, max) => {
        const pace = after(outcomes, max);
        expect(Number.isInteger(pace.window)).toBe(true);
        expect(pace.window).toBeGreaterThanOrEqual(1);
        expect(pace.window).toBeLessThanOrEqual(max);
        expect(pace.failures).toBe(outcomes.length - 1 - outcomes.lastIndexOf(ok));
      }),
    );
  });

  it('enough answers open the window again', () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 20 }), windowMax, (outcomes, max) => {
        expect(after([...outcomes, ...times(max, ok)], max).window).toBe(max);
      }),
    );
  });
});
