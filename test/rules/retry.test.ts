import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { holdMsMax, holdUntil, retryAfterMsMax, retryAt, type RetryInput } from '../../src/core/rules/retry.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const now = Date.parse('2026-11-23T10:00:00Z');
/** The default of POSTHORN_RETRY_SCHEDULE. */
const scheduleMs = [5_000, 5 * minuteMs, 30 * minuteMs, 2, 5, 10, 14, 20, 24].map((wait) =>
  wait < 100 ? wait * hourMs : wait,
);

function waitMs(input: Partial<RetryInput>): number | null {
  const at = retryAt({ steps: 1, scheduleMs, now, random: 0.5, responseCode: 500, retryAfter: null, ...input });
  return at === null ? null : at - now;
}

const float = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const steps = fc.integer({ min: 1, max: scheduleMs.length });
const asking = fc.constantFrom(429, 503);
const dateLike = fc
  .array(
    fc.constantFrom(
      'Mon,',
      'Sunday,',
      'May',
      '5',
      '23-Nov-26',
      '99:99:99',
      '2026',
      '-1',
      '275761',
      'GMT',
      'PST',
      '+99',
    ),
  )
  .map((parts) => parts.join(' '));
const seconds = fc.integer({ min: 0, max: 9_999_999_999 });

describe('the schedule', () => {
  it('waits as it says in the middle of the jitter', () => {
    const waits = scheduleMs.map((_, index) => waitMs({ steps: index + 1 }));
    expect(waits).toEqual(scheduleMs);
  });

  it('stays within 20 percent of each wait, and reaches both ends', () => {
    fc.assert(
      fc.property(steps, float, (step, random) => {
        const planned = scheduleMs[step - 1] ?? 0;
        const wait = waitMs({ steps: step, random }) ?? 0;
        expect(wait).toBeGreaterThanOrEqual(planned * 0.8);
        expect(wait).toBeLessThanOrEqual(planned * 1.2);
      }),
    );
    expect(waitMs({ random: 0 })).toBe(4_000);
    expect(waitMs({ random: 1 - Number.EPSILON })).toBe(6_000);
  });

  it('waits longer the larger the random number is', () => {
    fc.assert(
      fc.property(steps, float, float, (step, a, b) => {
        const [less = 0, more = 0] = [a, b].toSorted((x, y) => x - y);
        expect(waitMs({ steps: step, random: less }) ?? 0).toBeLessThanOrEqual(
          waitMs({ steps: step, random: more }) ?? 0,
        );
      }),
    );
  });

  it('ends after its last step, whatever the receiver asks for', () => {
    expect(waitMs({ steps: 9 })).toBe(24 * hourMs);
    expect(waitMs({ steps: 10 })).toBeNull();
    expect(waitMs({ steps: 10, responseCode: 429, retryAfter: '60' })).toBeNull();
    expect(waitMs({ steps: 1, scheduleMs: [] })).toBeNull();
  });

  it('does not retry a 413, not even with Retry-After', () => {
    expect(waitMs({ responseCode: 413 })).toBeNull();
    expect(waitMs({ responseCode: 413, retryAfter: '60' })).toBeNull();
    expect(waitMs({ responseCode: 414 })).toBe(5_000);
  });

  it('retries what brought no answer as what brought a bad one', () => {
    expect(waitMs({ responseCode: null })).toBe(5_000);
    for (const responseCode of [301, 400, 404, 410, 429, 500, 503]) expect(waitMs({ responseCode })).toBe(5_000);
  });

  it('may be a schedule of no wait at all', () => {
    expect(waitMs({ scheduleMs: [0, 0] })).toBe(0);
    expect(waitMs({ scheduleMs: [0], responseCode: 429, retryAfter: '2' })).toBe(2_000);
  });

  it('is due at whole milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 * hourMs }), float, (wait, random) => {
        expect(Number.isInteger(waitMs({ scheduleMs: [wait], random }))).toBe(true);
      }),
    );
  });
});

describe('Retry-After', () => {
  it('is waited for in seconds', () => {
    expect(waitMs({ responseCode: 429, retryAfter: '120' })).toBe(120_000);
    expect(waitMs({ responseCode: 503, retryAfter: '120' })).toBe(120_000);
    expect(waitMs({ responseCode: 503, retryAfter: ' 120 ' })).toBe(120_000);
  });

  it('is waited for as an IMF-fixdate and as an RFC 850 date', () => {
    expect(waitMs({ responseCode: 429, retryAfter: 'Mon, 23 Nov 2026 11:00:00 GMT' })).toBe(hourMs);
    expect(waitMs({ responseCode: 429, retryAfter: 'Monday, 23-Nov-26 11:00:00 GMT' })).toBe(hourMs);
  });

  it('never shortens the schedule and never makes it longer than 24 hours', () => {
    fc.assert(
      fc.property(steps, float, asking, seconds, (step, random, responseCode, count) => {
        const planned = waitMs({ steps: step, random }) ?? 0;
        const wait = waitMs({ steps: step, random, responseCode, retryAfter: String(count) });
        expect(wait).toBe(Math.max(planned, Math.min(count * 1_000, retryAfterMsMax)));
      }),
    );
    expect(retryAfterMsMax).toBe(24 * hourMs);
    expect(waitMs({ responseCode: 429, retryAfter: '86400' })).toBe(24 * hourMs);
    expect(waitMs({ responseCode: 429, retryAfter: '86401' })).toBe(24 * hourMs);
    expect(waitMs({ responseCode: 429, retryAfter: '86399' })).toBe(24 * hourMs - 1_000);
  });

  it('means the same as a date and as the seconds until then', () => {
    fc.assert(
      fc.property(asking, fc.integer({ min: -hourMs / 1_000, max: 172_800 }), (responseCode, count) => {
        const date = new Date(now + count * 1_000).toUTCString();
        const ahead = String(Math.max(0, count));
        expect(waitMs({ responseCode, retryAfter: date })).toBe(waitMs({ responseCode, retryAfter: ahead }));
        expect(holdUntil(responseCode, date, now)).toBe(holdUntil(responseCode, ahead, now));
      }),
    );
  });

  it('counts on 429 and 503 only', () => {
    fc.assert(
      fc.property(fc.option(fc.integer({ min: 100, max: 599 })), (responseCode) => {
        fc.pre(responseCode !== 429 && responseCode !== 503 && responseCode !== 413);
        expect(waitMs({ responseCode, retryAfter: '3600' })).toBe(5_000);
        expect(holdUntil(responseCode, '3600', now)).toBeNull();
      }),
    );
  });

  it.each([
    '',
    ' ',
    '-5',
    '1.5',
    '+5',
    '0x10',
    '1e3',
    'soon',
    '12 s',
    '2026-11-23T11:00:00Z',
    '23 Nov 2026 11:00:00 GMT',
    '\u0000',
  ])('says nothing when it is %j', (retryAfter) => {
    expect(waitMs({ responseCode: 429, retryAfter })).toBe(5_000);
    expect(holdUntil(429, retryAfter, now)).toBeNull();
  });

  it('never throws and never answers a time that is none, whatever a receiver writes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary-ascii' }), dateLike), asking, (retryAfter, responseCode) => {
        const wait = waitMs({ responseCode, retryAfter }) ?? 0;
        expect(wait).toBeGreaterThanOrEqual(5_000);
        expect(wait).toBeLessThanOrEqual(retryAfterMsMax);
      }),
    );
  });
});

describe('Retry-After away from UTC', () => {
  const zone = process.env['TZ'];
  afterEach(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });

  it.each(['UTC', 'Australia/Sydney', 'America/New_York'])('all three forms of an HTTP date are in UTC: %s', (name) => {
    process.env['TZ'] = name;
    // RFC 9110, section 5.6.7: IMF-fixdate, and the obsolete forms of RFC 850 and asctime that recipients must accept.
    const forms = ['Mon, 23 Nov 2026 11:00:00 GMT', 'Monday, 23-Nov-26 11:00:00 GMT', 'Mon Nov 23 11:00:00 2026'];
    expect(forms.map((retryAfter) => waitMs({ responseCode: 503, retryAfter }))).toEqual([hourMs, hourMs, hourMs]);
  });
});

describe('holding the endpoint back', () => {
  it('lasts as long as the receiver asks, at most one hour', () => {
    fc.assert(
      fc.property(asking, fc.integer({ min: 1, max: 9_999_999_999 }), (responseCode, count) => {
        expect(holdUntil(responseCode, String(count), now)).toBe(now + Math.min(count * 1_000, hourMs));
      }),
    );
    expect(holdMsMax).toBe(hourMs);
    expect(holdUntil(429, '3600', now)).toBe(now + hourMs);
    expect(holdUntil(429, '3601', now)).toBe(now + hourMs);
    expect(holdUntil(429, '3599', now)).toBe(now + hourMs - 1_000);
  });

  it('does not begin where nothing was asked for', () => {
    expect(holdUntil(429, null, now)).toBeNull();
    expect(holdUntil(429, '0', now)).toBeNull();
    expect(holdUntil(429, 'Mon, 23 Nov 2026 09:00:00 GMT', now)).toBeNull();
  });
});
