import { randomUUID } from 'node:crypto';
import { PosthornError } from '../core/errors.ts';
import { type Answer, toResponse, withStandardHeaders } from './answer.ts';
import { challenge, type Protected } from './auth.ts';
import type { RequestContext } from './context.ts';
import type { Face } from './face.ts';
import { problemAnswer } from './problem.ts';

/** What the log line and the challenge of an exchange need to know of its route. */
export interface Subject {
  /** The path as it stands in the table, never as it was asked: paths can hold ids. Null: no route. */
  pattern: string | null;
  /** Asked so often that its log lines are for debugging only. */
  frequent: boolean;
  protected: Protected;
}

export type Work = (c: RequestContext) => Promise<Answer | Response>;

/**
 * One request from the host check to the log line: whatever `work` throws becomes a problem. It is the only handler on its
 * path: the router calls a single handler directly, without a chain of middleware, which publishing would pay for.
 */
export function exchange(face: Face, subject: Subject, work: Work): (c: RequestContext) => Promise<Response> {
  return async (c) => {
    const startedAt = performance.now();
    const requestId = randomUUID();
    let response: Response;
    try {
      face.checkHost(c.req.raw);
      const done = await work(c);
      response = done instanceof Response ? withStandardHeaders(done, requestId) : toResponse(done, requestId);
    } catch (error) {
      logFailure(face, subject, requestId, error);
      response = toResponse(refusal(error, subject.protected, c.req.raw, requestId), requestId);
    }
    logExchange(face, subject, c.req.raw.method, requestId, response.status, performance.now() - startedAt);
    return response;
  };
}

function refusal(error: unknown, target: Protected, request: Request, requestId: string): Answer {
  const answer = problemAnswer(error, requestId);
  if (error instanceof PosthornError && (error.code === 'unauthorized' || error.code === 'insufficient_scope')) {
    const keySent = request.headers.get('authorization') !== null;
    answer.headers = { ...answer.headers, 'www-authenticate': challenge(target, error, keySent) };
  }
  return answer;
}

function logFailure(face: Face, subject: Subject, requestId: string, error: unknown): void {
  const facts = { request_id: requestId, route: subject.pattern, err: error };
  if (!(error instanceof PosthornError) || error.code === 'internal') face.log.error(facts, 'request failed');
  else if (error.status >= 500) face.log.warn(facts, 'request refused');
}

function logExchange(
  face: Face,
  subject: Subject,
  method: string,
  requestId: string,
  status: number,
  durationMs: number,
): void {
  const facts = {
    request_id: requestId,
    method,
    route: subject.pattern,
    status,
    duration_ms: Math.round(durationMs * 10) / 10,
  };
  if (subject.frequent) face.log.debug(facts, 'request');
  else face.log.info(facts, 'request');
}
