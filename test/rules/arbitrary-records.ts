import fc from 'fast-check';
import type { EndpointRecord } from '../../src/core/ports/endpoint-store.ts';
import type { Surroundings } from '../../src/core/rules/diagnose.ts';
import { attemptErrors, disabledReasons, endpointStatuses } from '../../src/core/vocabulary.ts';

export const now = Date.parse('2026-11-23T10:00:00Z');

export const around: Surroundings = {
  now,
  delivering: true,
  limits: { disableAfterFailures: 20, disableAfterMs: 24 * 3_600_000 },
  latestEvent: null,
  judgeLatest: () => true,
};

/** An endpoint that was just made. */
export const freshEndpoint: EndpointRecord = {
  id: 1,
  publicId: 'sub_1',
  workspaceId: 1,
  kind: 'subscription',
  name: null,
  url: 'https://hooks.example.com/in',
  events: ['contact.created'],
  description: null,
  filter: null,
  filterErrors: { count: 0, last: null, lastAt: null },
  includeData: true,
  sealedHeaders: null,
  version: 1,
  pendingCount: 0,
  nextAttemptAt: null,
  createdByKeyId: null,
  movedByKeyId: null,
  createdAt: now,
  updatedAt: now,
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

/** Any time within a month of now. */
export const someTime = fc.integer({ min: now - 2_592_000_000, max: now + 2_592_000_000 });

const timeOrNull = fc.option(someTime);

/** Endpoints in every state, also in ones that the program never gets into. */
export const anyEndpoint: fc.Arbitrary<EndpointRecord> = fc
  .record({
    description: fc.option(fc.string()),
    pendingCount: fc.nat(),
    nextAttemptAt: timeOrNull,
    status: fc.constantFrom(...endpointStatuses),
    failureCount: fc.nat(),
    failingSince: timeOrNull,
    lastDeliveredAt: timeOrNull,
    lastAttemptAt: timeOrNull,
    lastError: fc.option(fc.constantFrom(...attemptErrors)),
    lastResponseCode: fc.option(fc.integer({ min: 100, max: 599 })),
    heldUntil: timeOrNull,
    disabledReason: fc.option(fc.constantFrom(...disabledReasons)),
    disabledAt: timeOrNull,
    createdAt: someTime,
    updatedAt: someTime,
  })
  .map((some) => Object.assign({}, freshEndpoint, some));
