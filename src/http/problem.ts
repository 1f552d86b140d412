import { z } from 'zod';
import { type ErrorCode, errorTable, PosthornError } from '../core/errors.ts';
import type { Answer } from './answer.ts';
import { httpLimits } from './limits.ts';

const codes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

/** The body of every refusal (RFC 9457), as `application/problem+json`. */
export const problemSchema = z.object({
  type: z.string().describe('urn:posthorn:problem: followed by the code'),
  title: z.string().describe('The same sentence for every problem of this code'),
  status: z.int().describe('The HTTP status'),
  code: z.enum(codes).describe('Stable: what programs compare'),
  detail: z.string().describe('What was wrong with this request'),
  errors: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .describe('The wrong fields: path is a JSON pointer (RFC 6901) into the body, or / and the name of a parameter'),
});
export type Problem = z.infer<typeof problemSchema>;

/** The answer that tells of an error. Anything but a PosthornError is `internal` and tells nothing of itself. */
export function problemAnswer(error: unknown, requestId: string): Answer {
  const known =
    error instanceof PosthornError && error.code !== 'internal'
      ? error
      : new PosthornError('internal', `Something failed inside the server. The request id is ${requestId}.`);
  const { status, title } = errorTable[known.code];
  const problem: Problem = {
    type: `urn:posthorn:problem:${known.code}`,
    title,
    status,
    code: known.code,
    detail: known.message,
    errors: known.errors.slice(0, httpLimits.problemErrorsMax),
  };
  const headers: Record<string, string> = {};
  const retryAfterSeconds = known.retryAfterSeconds ?? (known.code === 'store_unavailable' ? 1 : null);
  if (retryAfterSeconds !== null) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterSeconds)));
  return { status, json: problem, contentType: 'application/problem+json', headers };
}
