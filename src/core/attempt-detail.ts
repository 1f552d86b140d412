import { z } from 'zod';
import { attempt } from './types.ts';

/** One attempt with the request that it made. */
export const attemptDetail = attempt.extend({
  request: z.object({
    method: z.literal('POST'),
    url: z.string(),
    headers: z.record(z.string(), z.string()).describe('Signatures and own headers are masked'),
    body: z.string().nullable().describe('Only for keys with payloads:read, while the event is retained'),
  }),
});
export type AttemptDetail = z.infer<typeof attemptDetail>;
