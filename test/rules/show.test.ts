import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ChainedRecord } from '../../src/core/ports/audit-store.ts';
import type { KeyRecord } from '../../src/core/ports/key-store.ts';
import type { AttemptRecord, DeliveryRecord, EventRecord } from '../../src/core/ports/record-store.ts';
import {
  showAttempt,
  showAudit,
  showDelivery,
  showEvent,
  showKey,
  showSubscription,
} from '../../src/core/rules/show.ts';
import { iso } from '../../src/core/rules/times.ts';
import { apiKey, attempt, auditRow, delivery, event, subscription } from '../../src/core/types.ts';
import { attemptErrors, deliveryStatuses, scopes } from '../../src/core/vocabulary.ts';
import { anyEndpoint, around, freshEndpoint, now, someTime } from './arbitrary-records.ts';

const row = fc.integer({ min: 1 });
const canary = 'whsec_canary';

const anyAttempt: fc.Arbitrary<AttemptRecord> = fc.record({
  id: row,
  deliveryId: row,
  eventPublicId: fc.constant('evt_1'),
  eventType: fc.constant('contact.created'),
  endpointPublicId: fc.constant('sub_1'),
  url: fc.constant('https://hooks.example.com/in'),
  attempt: row,
  responseCode: fc.option(fc.integer({ min: 100, max: 599 })),
  durationMs: fc.nat(),
  error: fc.option(fc.constantFrom(...attemptErrors)),
  isTest: fc.boolean(),
  startedAt: someTime,
  nextAttemptAt: fc.option(someTime),
  excerpt: fc.constantFrom(null, Buffer.from('go\u200b away\u001b[2J')),
});

describe('a subscription', () => {
  it('shows every field of its schema and no other, whatever state it is in', () => {
    const exact = z.strictObject(subscription.shape);
    fc.assert(
      fc.property(anyEndpoint, (endpoint) => {
        const shown = showSubscription(Object.assign(endpoint, { sealedSecret: canary }), around);
        expect(exact.parse(shown)).toEqual(shown);
        expect(JSON.stringify(shown)).not.toContain(canary);
      }),
    );
  });

  it('shows a hold while it lasts', () => {
    const heldUntil = (at: number | null) => showSubscription({ ...freshEndpoint, heldUntil: at }, around).held_until;
    expect(heldUntil(now + 1)).toBe('2026-11-23T10:00:00.001Z');
    expect(heldUntil(now)).toBeNull();
    expect(heldUntil(null)).toBeNull();
  });

  it('shows no next attempt where nothing will be sent, and none before a hold ends', () => {
    fc.assert(
      fc.property(anyEndpoint, (endpoint) => {
        const { next_attempt_at: shown } = showSubscription(endpoint, around);
        const { status, nextAttemptAt, heldUntil } = endpoint;
        const isSent = status === 'active' && nextAttemptAt !== null;
        expect(shown).toBe(isSent ? iso(Math.max(nextAttemptAt, heldUntil ?? nextAttemptAt)) : null);
      }),
    );
  });
});

describe('an attempt', () => {
  it('shows every field of its schema, and of the receiver nothing but the status', () => {
    const exact = z.strictObject(attempt.shape);
    fc.assert(
      fc.property(anyAttempt, (record) => {
        const shown = showAttempt(record, false);
        expect(exact.parse(shown)).toEqual(shown);
        expect(shown).not.toHaveProperty('untrusted_response');
        expect(JSON.stringify(shown)).not.toContain('away');
        expect(shown.status).toBe(record.error === null ? 'succeeded' : 'failed');
        expect(shown.error_message === null).toBe(record.error === null);
      }),
    );
  });

  it('shows the cleaned words of the receiver when asked to, in one field', () => {
    fc.assert(
      fc.property(anyAttempt, (record) => {
        const { untrusted_response: words, ...rest } = showAttempt(record, true);
        expect(words).toBe(record.excerpt === null ? null : 'go away[2J');
        expect(rest).toEqual(showAttempt(record, false));
      }),
    );
  });
});

it('a delivery shows every field of its schema and no other', () => {
  const anyDelivery: fc.Arbitrary<DeliveryRecord> = fc.record({
    id: row,
    eventPublicId: fc.constant('evt_1'),
    eventType: fc.constant('contact.created'),
    endpointPublicId: fc.constant('sub_1'),
    status: fc.constantFrom(...deliveryStatuses),
    attempts: fc.nat(),
    dueAt: fc.option(someTime),
    lastError: fc.option(fc.constantFrom(...attemptErrors)),
    createdAt: someTime,
  });
  const exact = z.strictObject(delivery.shape);
  fc.assert(
    fc.property(anyDelivery, (record) => {
      const shown = showDelivery(record);
      expect(exact.parse(shown)).toEqual(shown);
    }),
  );
});

describe('an event', () => {
  const record: EventRecord = {
    id: 1,
    publicId: 'evt_1',
    type: 'contact.created',
    data: `{"secret":"${canary}"}`,
    occurredAt: now,
    createdAt: now,
    deliveriesCount: 2,
  };

  it('shows its data to those who may read payloads, to others not even that there is some', () => {
    expect(showEvent(record, true)).toMatchObject({ deliveries_count: 2, data: { secret: canary } });
    expect(showEvent(record, false)).not.toHaveProperty('data');
    expect(z.strictObject(event.shape).parse(showEvent(record, true))).toEqual(showEvent(record, true));
  });

  it('shows null once its data was erased', () => {
    expect(showEvent({ ...record, data: null }, true)).toHaveProperty('data', null);
  });
});

it('an API key shows neither itself nor its hash', () => {
  const record: KeyRecord & { hash: string } = {
    id: 1,
    publicId: 'key_1',
    workspaceId: 1,
    name: 'ci',
    scopes: [...scopes],
    last4: 'aB3d',
    createdByKeyId: null,
    createdAt: now,
    expiresAt: null,
    lastUsedAt: now,
    revokedAt: null,
    hash: canary,
  };
  const shown = showKey(record);
  expect(z.strictObject(apiKey.shape).parse(shown)).toEqual(shown);
  expect(JSON.stringify(shown)).not.toContain(canary);
});

describe('a row of the audit log', () => {
  const record: ChainedRecord = {
    seq: 7,
    at: now,
    action: 'key.create',
    target: 'key_1',
    principalKind: 'admin',
    principalKeyId: null,
    principalName: 'admin',
    face: 'rest',
    client: null,
    before: null,
    after: '{"name":"ci"}',
    hash: Buffer.alloc(32, 1),
  };

  it('shows these fields and no others', () => {
    const shown = showAudit(record);
    expect(z.strictObject(auditRow.shape).parse(shown)).toEqual(shown);
    expect(shown).toMatchObject({ seq: 7, target_id: 'key_1', before: null, after: { name: 'ci' } });
  });

  it('can be read when somebody spoiled it', () => {
    expect(showAudit({ ...record, before: '{"name":' })).toMatchObject({ before: '{"name":', after: { name: 'ci' } });
  });
});
