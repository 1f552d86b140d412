import type { Inputs } from '../inputs.ts';
import { cursorAfter, rowBefore } from '../rules/ids.ts';
import { showAttempt } from '../rules/show.ts';
import type { Attempt, Page, Principal } from '../types.ts';
import { type Context, notFound, requireScope } from '../use-case.ts';

/** The delivery log of a subscription, newest first. */
export async function listSubscriptionLogs(
  context: Context,
  principal: Principal,
  input: Inputs['listAttempts'],
): Promise<Page<Attempt>> {
  const withExcerpt = input.include_untrusted_response === true;
  if (withExcerpt) requireScope(principal, 'payloads:read');
  const endpoint = await context.store.endpoints.get(principal.workspaceId, 'subscription', input.subscription_id);
  if (endpoint === null) throw notFound('subscription');
  const rows = await context.store.records.attempts(principal.workspaceId, {
    endpointId: endpoint.id,
    status: input.status,
    eventType: input.event_type,
    since: input.since === undefined ? undefined : Date.parse(input.since),
    until: input.until === undefined ? undefined : Date.parse(input.until),
    before: rowBefore(input.cursor),
    limit: input.limit + 1,
    withExcerpt,
  });
  return page(rows, input.limit, (row) => showAttempt(row, withExcerpt));
}

/** Of `limit + 1` rows the first `limit`; the one too many says that there is a next page. */
export function page<R extends { id: number }, T>(rows: R[], limit: number, show: (row: R) => T): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { data: shown.map(show), next_cursor: rows.length > limit && last !== undefined ? cursorAfter(last.id) : null };
}
