import type { Inputs } from '../inputs.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
import { cursorAfter, rowBefore, rowOf } from '../rules/ids.ts';
import { showAttempt } from '../rules/show.ts';
import type { Settings } from '../settings.ts';
import type { Attempt, Page, Principal } from '../types.ts';
import { type Context, notFound, requireScope } from '../use-case.ts';

/** After an attempt has ended, for a database that is slow to take it. */
const recordingMs = 60_000;

/** What one log or all of them may be narrowed to. */
type AttemptsInput = Omit<Inputs['listAttempts'], 'subscription_id'>;

/** The delivery log of one endpoint, newest first. */
export async function listEndpointLogs(
  context: Context,
  principal: Principal,
  find: () => Promise<EndpointRecord>,
  input: AttemptsInput,
): Promise<Page<Attempt>> {
  const withExcerpt = allowExcerpt(principal, input.include_untrusted_response);
  const endpoint = await find();
  const { rows, goOnBefore } = await context.store.records.attempts(principal.workspaceId, {
    endpointId: endpoint.id,
    ...filters(input, context.settings),
    withExcerpt,
  });
  return page(rows, input.limit, (row) => showAttempt(row, withExcerpt), goOnBefore);
}

/** The delivery log of every endpoint of the workspace, newest first. */
export async function listLogs(
  context: Context,
  principal: Principal,
  input: Inputs['listAllAttempts'],
): Promise<Page<Attempt>> {
  const { workspaceId } = principal;
  const withExcerpt = allowExcerpt(principal, input.include_untrusted_response);
  const { endpoint_id: publicId } = input;
  const endpoint = publicId === undefined ? null : await context.store.endpoints.get(workspaceId, null, publicId);
  if (publicId !== undefined && endpoint === null) throw notFound('endpoint');
  const { rows, goOnBefore } = await context.store.records.attempts(workspaceId, {
    endpointId: endpoint?.id,
    isTest: input.is_test,
    after: input.after === undefined ? undefined : (rowOf('att', input.after) ?? 0),
    ...filters(input, context.settings),
    withExcerpt,
  });
  return page(rows, input.limit, (row) => showAttempt(row, withExcerpt), goOnBefore);
}

/** Words of a stranger come only on request, and only to who may read payloads. */
export function allowExcerpt(principal: Principal, asked: boolean | undefined): boolean {
  if (asked !== true) return false;
  requireScope(principal, 'payloads:read');
  return true;
}

function filters(input: AttemptsInput, { attemptTimeoutMs }: Settings) {
  return {
    status: input.status,
    eventType: input.event_type,
    since: input.since === undefined ? undefined : Date.parse(input.since),
    until: input.until === undefined ? undefined : Date.parse(input.until),
    recordedWithinMs: attemptTimeoutMs + recordingMs,
    before: rowBefore(input.cursor),
    limit: input.limit + 1,
  };
}

/** Of `limit + 1` rows the first `limit`; the one too many says that there is a next page, or else `goOnBefore` does. */
export function page<R extends { id: number }, T>(
  rows: R[],
  limit: number,
  show: (row: R) => T,
  goOnBefore: number | null = null,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const end = rows.length > limit && last !== undefined ? last.id : goOnBefore;
  return { data: shown.map(show), next_cursor: end === null ? null : cursorAfter(end) };
}
