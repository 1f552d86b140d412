import type { AttemptDetail } from '../attempt-detail.ts';
import type { Inputs } from '../inputs.ts';
import type { AttemptRecord } from '../ports/record-store.ts';
import { envelope } from '../rules/envelope.ts';
import { maskedValue } from '../rules/headers.ts';
import { rowOf } from '../rules/ids.ts';
import { showAttempt } from '../rules/show.ts';
import type { Attempt, Principal } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';
import { allowExcerpt } from './logs.ts';
import { maskedHeaders } from './own-headers.ts';

const attemptsOfDeliveryMax = 200;

/** One attempt with the request that it made. Its body only for who holds payloads:read, the receiver's on request as well. */
export async function getAttempt(
  context: Context,
  principal: Principal,
  input: Inputs['attemptId'],
): Promise<AttemptDetail> {
  const { workspaceId } = principal;
  const id = rowOf('att', input.attempt_id);
  const withExcerpt = allowExcerpt(principal, input.include_untrusted_response);
  const record = id === null ? null : await context.store.records.attempt(workspaceId, id, withExcerpt);
  if (record === null) throw notFound('attempt');
  return { ...showAttempt(record, withExcerpt), request: await requestOf(context, principal, record) };
}

/** Every attempt of one delivery, oldest first. */
export async function listDeliveryAttempts(
  context: Context,
  principal: Principal,
  input: Inputs['deliveryId'],
): Promise<{ data: Attempt[] }> {
  const { workspaceId } = principal;
  const row = rowOf('dlv', input.delivery_id);
  const delivery = row === null ? null : await context.store.records.delivery(workspaceId, row);
  if (delivery === null) throw notFound('delivery');
  const rows = await context.store.records.attemptsOf(workspaceId, delivery.id, attemptsOfDeliveryMax);
  return { data: rows.map((one) => showAttempt(one, false)) };
}

/** What was sent, made again from what is stored; signatures and own headers are only said to have been there. */
async function requestOf(
  context: Context,
  principal: Principal,
  record: AttemptRecord,
): Promise<AttemptDetail['request']> {
  const { brand, version } = context.settings;
  const { workspaceId, scopes } = principal;
  const [event, endpoint] = await Promise.all([
    context.store.records.event(workspaceId, record.eventPublicId),
    context.store.endpoints.get(workspaceId, null, record.endpointPublicId),
  ]);
  const own = endpoint === null ? {} : maskedHeaders(context.vault, endpoint);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': `Posthorn/${version}`,
    'webhook-id': record.eventPublicId,
    'webhook-timestamp': String(Math.floor(record.startedAt / 1_000)),
    'webhook-signature': `v1,${maskedValue}`,
    [`X-${brand}-Event`]: record.eventType,
    [`X-${brand}-Signature`]: maskedValue,
    ...(record.isTest ? { [`X-${brand}-Test`]: 'true' } : {}),
    ...own,
  };
  const bare = endpoint?.includeData === false;
  const isKept = event !== null && (bare || event.data !== null);
  const body = isKept && scopes.has('payloads:read') ? envelope({ ...event, data: bare ? null : event.data }) : null;
  return { method: 'POST', url: record.url, headers, body };
}
