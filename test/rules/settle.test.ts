import { describe, expect, it } from 'vitest';
import { errorOfStatus } from '../../src/core/journey/send.ts';
import { settlementOf } from '../../src/core/journey/settle.ts';
import type { AttemptFacts, LeasedDelivery, Settlement } from '../../src/core/ports/journey-store.ts';
import type { SendResult } from '../../src/core/ports/sender.ts';
import { interruptionsMax } from '../../src/core/rules/retry.ts';

const now = Date.parse('2026-11-23T10:00:00Z');
const delivery: LeasedDelivery = {
  id: 11,
  workspaceId: 22,
  endpointId: 33,
  eventId: 44,
  endpointVersion: 1,
  attempts: 0,
  steps: 0,
};

function settle(
  facts: Partial<AttemptFacts & Pick<SendResult, 'retryAfter'>>,
  progress: Partial<LeasedDelivery> = {},
): Settlement {
  const responseCode = facts.responseCode === undefined ? 204 : facts.responseCode;
  return settlementOf(
    { ...delivery, ...progress },
    7,
    'contact.created',
    {
      startedAt: now - 120,
      durationMs: 120,
      excerpt: null,
      retryAfter: null,
      responseCode,
      error: errorOfStatus(responseCode),
      ...facts,
    },
    { scheduleMs: [1_000, 60_000], now, random: 0.5 },
  );
}

describe('what an attempt makes of its delivery', () => {
  it('is pinned for a success', () => {
    expect(settle({ excerpt: Buffer.from('ok') })).toEqual({
      deliveryId: 11,
      workspaceId: 22,
      endpointId: 33,
      endpointVersion: 7,
      eventType: 'contact.created',
      attemptNumber: 1,
      attempt: { startedAt: now - 120, durationMs: 120, responseCode: 204, error: null, excerpt: Buffer.from('ok') },
      next: { state: 'succeeded' },
      health: { succeeded: true, at: now, error: null, responseCode: 204, holdUntil: null },
    });
  });

  it('is the next step of the schedule after a failure', () => {
    expect(settle({ responseCode: 500 }).next).toEqual({ state: 'pending', dueAt: now + 1_000 });
    expect(settle({ responseCode: 500 }, { attempts: 1, steps: 1 }).next).toEqual({
      state: 'pending',
      dueAt: now + 60_000,
    });
  });

  it('is failed when the schedule is used up', () => {
    expect(settle({ responseCode: 500 }, { attempts: 2, steps: 2 }).next).toEqual({ state: 'failed' });
    expect(settle({ responseCode: 204 }, { attempts: 2, steps: 2 }).next).toEqual({ state: 'succeeded' });
  });

  it('is failed at once after a 413', () => {
    expect(settle({ responseCode: 413 })).toMatchObject({ next: { state: 'failed' }, health: { responseCode: 413 } });
  });

  it('counts attempts and steps apart: interrupted ones use up no step, replays start a schedule anew', () => {
    const interrupted = settle({ responseCode: 500 }, { attempts: 8, steps: 0 });
    expect(interrupted).toMatchObject({ attemptNumber: 9, next: { state: 'pending', dueAt: now + 1_000 } });
    expect(interruptionsMax).toBe(10);
  });

  it('stays pending after a 410, which disables the endpoint and not the delivery', () => {
    expect(settle({ responseCode: 410 })).toMatchObject({
      next: { state: 'pending' },
      health: { succeeded: false, responseCode: 410 },
    });
  });
});

describe('what an attempt means for its endpoint', () => {
  it('is a failure where no answer came', () => {
    expect(settle({ responseCode: null, error: 'timeout' })).toMatchObject({
      attempt: { responseCode: null, error: 'timeout' },
      health: { succeeded: false, at: now, error: 'timeout', responseCode: null, holdUntil: null },
    });
  });

  it('is a hold where the receiver asked for one, also when the delivery itself is over', () => {
    const asked = { responseCode: 503, retryAfter: '120' };
    expect(settle(asked)).toMatchObject({
      next: { state: 'pending', dueAt: now + 120_000 },
      health: { holdUntil: now + 120_000 },
    });
    expect(settle(asked, { attempts: 2, steps: 2 })).toMatchObject({
      next: { state: 'failed' },
      health: { holdUntil: now + 120_000 },
    });
    expect(settle({ responseCode: 200, retryAfter: '120' }).health.holdUntil).toBeNull();
  });

  it('holds nothing of the header itself', () => {
    expect(JSON.stringify(settle({ responseCode: 503, retryAfter: '  121 ' }))).not.toContain('121 ');
  });
});

describe('success', () => {
  it('is a 2xx status, and nothing else is', () => {
    const errors = Array.from({ length: 600 }, (_, status) => errorOfStatus(status));
    for (const [status, error] of errors.entries()) {
      const family = ['http_1xx', 'http_1xx', null, 'http_3xx', 'http_4xx', 'http_5xx'][Math.floor(status / 100)];
      expect(error).toBe(family);
    }
    expect(errorOfStatus(null)).toBe('invalid_response');
  });
});
