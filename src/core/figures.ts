import { z } from 'zod';
import { disabledReasons, endpointStatuses } from './vocabulary.ts';

/** What the overview shows, as schemas. Times are ISO 8601 in UTC, durations milliseconds. */

const time = z.iso.datetime();

export const statistics = z.object({
  since: time,
  until: time,
  succeeded: z.int().describe('Attempts of live deliveries; tests apart'),
  failed: z.int(),
  success_rate: z.number().nullable().describe('Null without attempts'),
  p50_ms: z.int().nullable(),
  p95_ms: z.int().nullable(),
  buckets: z.array(z.object({ at: time, succeeded: z.int(), failed: z.int() })).describe('Oldest first'),
});
export type Statistics = z.infer<typeof statistics>;

export const failingEndpoint = z.object({
  id: z.string(),
  kind: z.enum(['subscription', 'config']),
  name: z.string().nullable(),
  url: z.string(),
  status: z.enum(endpointStatuses),
  failing_since: time.nullable(),
  failure_count: z.int(),
  pending_count: z.int(),
  disabled_reason: z.enum(disabledReasons).nullable(),
  diagnosis: z.string(),
});
export type FailingEndpoint = z.infer<typeof failingEndpoint>;

export const missed = z.object({
  count: z.int().describe('Events that a replay would queue'),
  more: z.boolean().describe('Whether there are more than were counted'),
  filtered: z.boolean().describe('Whether a filter or condition decides too, so that a replay queues at most so many'),
  since: time,
});
export type Missed = z.infer<typeof missed>;
