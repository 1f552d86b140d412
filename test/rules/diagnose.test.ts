import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import { activated } from '../../src/core/rules/health.ts';
import { diagnose, errorMessage, errorSentences, type Surroundings } from '../../src/core/rules/diagnose.ts';
import { type AttemptError, attemptErrors } from '../../src/core/vocabulary.ts';
import { anyEndpoint, around, freshEndpoint, now } from './arbitrary-records.ts';

const minuteMs = 60_000;

function say(facts: Partial<EndpointRecord>, more: Partial<Surroundings> = {}): string {
  return diagnose({ ...freshEndpoint, ...facts }, { ...around, ...more });
}

const failing = (lastError: AttemptError, lastResponseCode: number | null): Partial<EndpointRecord> => ({
  failureCount: 3,
  failingSince: now - minuteMs,
  lastAttemptAt: now,
  lastError,
  lastResponseCode,
  pendingCount: 1,
  nextAttemptAt: now + 5 * minuteMs,
});

describe('why nothing arrives', () => {
  it('because nothing was published', () => {
    const sentence = 'Nothing has been published since it was made: publish an event, or send a test.';
    expect(say({})).toBe(sentence);
    expect(say({}, { latestEvent: { type: 'contact.created', createdAt: now - 1 } })).toBe(sentence);
  });

  it('because nothing was published that it chose', () => {
    expect(say({}, { latestEvent: { type: 'task.created', createdAt: now } })).toMatch(
      /^Events are published, but none that it wants: it chose contact\.created, and the latest was task\.created\. /,
    );
  });

  it('names five of the event types that it chose, and whether there are more', () => {
    const events = ['a.a', 'b.b', 'c.c', 'd.d', 'e.e', 'f.f'];
    const latestEvent = { type: 'z.z', createdAt: now };
    expect(say({ events }, { latestEvent })).toContain('it chose a.a, b.b, c.c, d.d, e.e, …, and');
    expect(say({ events: events.slice(1) }, { latestEvent })).toContain('it chose b.b, c.c, d.d, e.e, f.f, and');
  });

  it('because what was published came while it was not active, which is not called a wish for something else', () => {
    const missed = say({ events: ['contact.*'] }, { latestEvent: { type: 'contact.created', createdAt: now + 1 } });
    expect(missed).not.toContain('none that it wants');
    expect(missed).toContain('replay');
  });

  it('because its filter excludes the latest event, or errs at it, which is not called a wish for another type', () => {
    const latestEvent = { type: 'contact.created', createdAt: now };
    const filtered = { events: ['contact.*'], filter: 'data.a == 1' };
    expect(say(filtered, { latestEvent, judgeLatest: () => false })).toContain('but its filter excludes it');
    const judgeLatest = () => ({ reason: 'there is no field a', line: 1, column: 6 });
    expect(say(filtered, { latestEvent, judgeLatest })).toContain(
      'its filter has no value for it: there is no field a (line 1, column 6). Correct the filter',
    );
    expect(say(filtered, { latestEvent })).toContain('was published while it was not active');
    expect(say({ ...filtered, events: ['task.*'] }, { latestEvent, judgeLatest })).toContain('none that it wants');
  });

  it('counts the events that its filter had no value for, however it stands', () => {
    const filterErrors = { count: 1, last: 'no field (line 1, column 6)', lastAt: now };
    const counted = ' Its filter had no value for 1 event since it was set, so it got none of them;';
    expect(say({ filterErrors })).toContain(counted);
    expect(say({ filterErrors: { ...filterErrors, count: 2 }, status: 'paused' })).toMatch(
      /^It is paused.* 2 events since it was set, .*: no field \(line 1, column 6\)\.$/,
    );
  });

  it('because it is paused', () => {
    expect(say({ status: 'paused' })).toBe('It is paused, so nothing is sent: set status to active to go on.');
    expect(say({ status: 'paused', pendingCount: 1 })).toMatch(/ 1 delivery is waiting\.$/);
    expect(say({ status: 'paused', pendingCount: 2 })).toMatch(/ 2 deliveries are waiting\.$/);
  });

  it('because it is disabled after failures', () => {
    const worn = { ...failing('http_5xx', 502), status: 'disabled', disabledReason: 'repeated_failures' } as const;
    expect(say({ ...worn, failureCount: 20 })).toBe(
      'It is disabled after 20 failed attempts in a row; the receiver failed while handling the request (HTTP 502): repair the receiver, set status to active, then replay what was missed. 1 delivery is waiting.',
    );
  });

  it('because it is disabled as gone', () => {
    expect(say({ ...failing('http_4xx', 410), status: 'disabled', disabledReason: 'gone' })).toMatch(
      /^It is disabled because the receiver answered 410 Gone: /,
    );
  });

  it('because it waits for approval', () => {
    expect(say({ status: 'pending_approval' })).toMatch(/^It waits for approval .* webhooks:approve\.$/);
  });

  it('because no process delivers', () => {
    expect(say({ pendingCount: 3 }, { delivering: false })).toMatch(
      /^No process is delivering: .* 3 deliveries are waiting\.$/,
    );
    expect(say(failing('timeout', null), { delivering: false })).toMatch(/^No process is delivering: /);
    expect(say({ pendingCount: 1 }, { delivering: false })).toMatch(/\. 1 delivery is waiting\.$/);
    expect(say({}, { delivering: false })).toMatch(/POSTHORN_DISPATCH=off\.$/);
    expect(say({ status: 'paused' }, { delivering: false })).toMatch(/^It is paused/);
  });

  it('because it is held back', () => {
    const held = { ...failing('http_4xx', 429), heldUntil: now + minuteMs };
    expect(say(held)).toMatch(
      /held back until 2026-11-23T10:01:00\.000Z; retry a delivery or send a test to free it\.$/,
    );
    expect(say({ ...held, heldUntil: now })).toMatch(/^The last 3 attempts failed; /);
  });

  it.each([
    ['http_1xx', 101, /switched protocols instead of answering \(HTTP 101\)\. /],
    ['http_3xx', 302, /redirect, which is never followed \(HTTP 302\)\. Update the URL/],
    ['http_4xx', 401, /refused the request \(HTTP 401\)\. Check the path/],
    ['http_5xx', 500, /failed while handling the request \(HTTP 500\)\. Look into the receiver's own log\./],
    ['timeout', null, /did not answer in time\. Answer 2xx first/],
    ['connect_refused', null, /nothing accepted the connection\. Check that the receiver runs/],
    ['connection_reset', null, /the connection broke before an answer came\. /],
    ['dns_failed', null, /could not be resolved\. Check the spelling/],
    ['tls_failed', null, /TLS handshake failed: .*\. Renew or complete the certificate chain\./],
    ['target_not_allowed', null, /may not be called\. Use a public address, or ask the operator/],
    ['response_too_large', 200, /larger than 64 KiB \(HTTP 200\)\. /],
    ['invalid_response', null, /what came back is not HTTP\. /],
  ] as const)('because the last attempts failed with %s', (error, code, sentence) => {
    const diagnosis = say(failing(error, code));
    expect(diagnosis).toMatch(/^The last 3 attempts failed; /);
    expect(diagnosis).toMatch(sentence);
    expect(diagnosis).toContain(' The next attempt is due at 2026-11-23T10:05:00.000Z.');
    expect(diagnosis).toMatch(/ It is disabled after 20 failures in a row that go on for 1d\.$/);
  });

  it('says that an attempt is due now once its time has come', () => {
    const overdue = { ...failing('timeout', null), nextAttemptAt: now - minuteMs };
    expect(say(overdue)).toContain(' The next attempt is due now. ');
    const limits = { disableAfterFailures: 3, disableAfterMs: 0 };
    expect(say(overdue, { limits })).toMatch(/ It is disabled after 3 failures in a row\.$/);
  });

  it('because one attempt failed', () => {
    expect(say({ ...failing('timeout', null), failureCount: 1 })).toMatch(/^The last attempt failed; /);
  });
});

describe('an endpoint that works', () => {
  it('says so, with the last success', () => {
    const works = { lastAttemptAt: now, lastDeliveredAt: now, lastResponseCode: 204 };
    expect(say(works)).toBe('It works: the last delivery succeeded at 2026-11-23T10:00:00.000Z.');
    expect(say({ ...works, pendingCount: 1 })).toBe('It works; 1 delivery is on its way.');
    expect(say({ ...works, pendingCount: 2 })).toBe('It works; 2 deliveries are on their way.');
  });

  it('is none that never delivered: made active again after nothing but failures, it is not said to have succeeded', () => {
    const worn = {
      ...freshEndpoint,
      ...failing('http_5xx', 500),
      status: 'disabled',
      disabledReason: 'repeated_failures',
    } as const;
    const again = { ...worn, ...activated(worn) };
    expect(again.lastDeliveredAt).toBeNull();
    expect(diagnose({ ...again, pendingCount: 0 }, around)).not.toMatch(/it works|succeeded/i);
    expect(diagnose({ ...again, pendingCount: 1 }, around)).not.toMatch(/it works|succeeded/i);
  });
});

describe('every diagnosis', () => {
  it('is made of whole sentences in one line, without holes', () => {
    fc.assert(
      fc.property(anyEndpoint, fc.boolean(), (endpoint, delivering) => {
        const diagnosis = diagnose(endpoint, { ...around, delivering });
        expect(diagnosis).toMatch(/^[A-Z][^\n]*\.$/);
        expect(diagnosis).not.toMatch(/null|undefined|NaN|Invalid| {2}|\.\.| \.|: \.|\(\)/);
      }),
    );
  });

  it('is made from facts alone: neither the URL nor what people wrote is in it', () => {
    fc.assert(
      fc.property(anyEndpoint, (endpoint) => {
        const named = {
          ...endpoint,
          url: 'https://canary.example/canary',
          name: 'canary',
          description: 'canary',
          filter: 'canary',
        };
        expect(diagnose(named, around)).not.toContain('canary');
      }),
    );
  });

  it('says that nothing is sent where nothing is sent', () => {
    fc.assert(
      fc.property(anyEndpoint, (endpoint) => {
        fc.pre(endpoint.status !== 'active');
        expect(diagnose(endpoint, around)).toMatch(/^It (is paused|is disabled|waits for approval)/);
      }),
    );
  });
});

describe("an attempt's sentence", () => {
  it('exists for every error, and is our own', () => {
    expect(Object.keys(errorSentences).toSorted()).toEqual(attemptErrors.toSorted());
    for (const error of attemptErrors) {
      expect(errorMessage(error, null)).toMatch(/^[A-Z].*\.$/);
      expect(errorMessage(error, 503)).toMatch(/^[A-Z].*[^.] \(HTTP 503\)\.$/);
    }
  });

  it('is none where nothing went wrong', () => {
    expect(errorMessage(null, 204)).toBeNull();
    expect(errorMessage(null, null)).toBeNull();
  });
});
