import { PosthornError } from '../errors.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
import { makerOf } from '../rules/maker.ts';
import type { Principal } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';

/** Whether an endpoint on this URL has to wait for approval: its host is new to the workspace, and the operator wants it. */
export async function statusFor(
  context: Context,
  workspaceId: number,
  url: string,
): Promise<'active' | 'pending_approval'> {
  if (context.settings.newHosts === 'allow') return 'active';
  const known = await context.store.endpoints.knownHosts(workspaceId);
  return known.includes(new URL(url).host) ? 'active' : 'pending_approval';
}

/**
 * Lets a pending endpoint receive. Never by the key that created it or chose its host, nor by one that such a key made.
 * `looked`: the URL that was looked at; where it is another by now, nothing is approved.
 */
export async function approveEndpoint(
  context: Context,
  principal: Principal,
  record: EndpointRecord,
  looked: string | undefined,
): Promise<EndpointRecord> {
  const { store, clock } = context;
  const { workspaceId, id, url } = record;
  if (record.status !== 'pending_approval') return record;
  const maker = makerOf(principal);
  const line = maker === null ? [] : await store.keys.lineage(maker);
  if ([record.createdByKeyId, record.movedByKeyId].some((by) => by !== null && line.includes(by))) {
    throw new PosthornError(
      'approval_denied',
      'The key that created it or chose its host, or one made by that key, may not approve it.',
    );
  }
  const approved =
    looked === undefined || looked === url ? await store.endpoints.approve(workspaceId, id, url, clock.now()) : null;
  const now = approved ?? (await store.endpoints.get(workspaceId, record.kind, record.publicId));
  if (now === null) throw notFound(record.kind);
  if (now.status === 'pending_approval') {
    throw new PosthornError('pending_approval', 'Its URL is not the one that was looked at: look again, then approve.');
  }
  context.wake();
  return now;
}
