import { PosthornError } from '../core/errors.ts';
import { sameKey } from '../core/rules/api-key.ts';
import type { Answer } from './answer.ts';
import type { RequestContext } from './context.ts';
import { nothingHere } from './nothing-here.ts';

/** What Prometheus reads, and who may. */
export interface MetricsFace {
  /** The bearer token that opens the page; null: none is needed, because only this machine can ask. */
  token: string | null;
  page(): Promise<{ contentType: string; text: string }>;
}

/** `GET /metrics`. Throws `not_found` where there is none, and `unauthorized` unless the token fits. */
export async function metricsAnswer(face: MetricsFace | null, c: RequestContext): Promise<Answer> {
  if (face === null) throw nothingHere();
  const { token, page } = face;
  if (token !== null && !holdsToken(c.req.raw.headers.get('authorization'), token)) {
    throw new PosthornError('unauthorized', 'Send the bearer token that POSTHORN_METRICS_TOKEN holds.');
  }
  const { contentType, text } = await page();
  return { status: 200, text, contentType };
}

function holdsToken(authorization: string | null, token: string): boolean {
  const given = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  return sameKey(given, token);
}
