import { createHash } from 'node:crypto';
import { PosthornError } from '../errors.ts';
import { type Inputs, limits } from '../inputs.ts';
import type { EndpointRecord, NewEndpoint } from '../ports.ts';
import type { Surroundings } from '../rules/diagnose.ts';
import { rowBefore } from '../rules/ids.ts';
import { unknownName, wants } from '../rules/match.ts';
import { showAttempt, showSubscription } from '../rules/show.ts';
import { newSecret, secretFault } from '../rules/sign.ts';
import { durationMs } from '../rules/times.ts';
import type { Attempt, CreatedSubscription, Page, Principal, Subscription } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';
import { catalogue, checkPatterns } from './event-types.ts';
import { page } from './logs.ts';
import { readStatus } from './status.ts';

const secretBytes = 32;
const overlapMsDefault = 24 * 3_600_000;
const overlapMsMax = 7 * 24 * 3_600_000;
const idempotencyMs = 24 * 3_600_000;

export async function createSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['createSubscription'],
): Promise<CreatedSubscription> {
  const { workspaceId } = principal;
  checkSecret(input.secret);
  const events = [...new Set(input.events)];
  await checkPatterns(context, workspaceId, events);
  const target = await checkTarget(context, input.url);
  const around = await surroundings(context, principal);
  const secret = input.secret ?? newSecret(context.random.bytes(secretBytes));
  const publicId = context.newId('sub');
  const endpoint: NewEndpoint = {
    publicId,
    workspaceId,
    kind: 'subscription',
    name: null,
    url: target.url,
    events,
    description: input.description ?? null,
    filter: null,
    includeData: true,
    sealedHeaders: null,
    sealedSecret: context.vault.seal(secret, publicId),
    status: await statusFor(context, workspaceId, target.url),
    createdByKeyId: principal.keyId,
    now: context.clock.now(),
  };
  const answer = (record: EndpointRecord): CreatedSubscription => ({
    ...showSubscription(record, around),
    ...(input.secret === undefined ? { secret } : {}),
    ...(target.resolves ? {} : { warning: 'The host name does not resolve now; deliveries fail until it does.' }),
  });
  if (input.idempotency_key !== undefined) return createOnce(context, principal, input, endpoint, answer);
  const record = await context.store.endpoints.insert(endpoint, limits.endpointsPerWorkspaceMax);
  if (record === null) throw limitReached();
  return answer(record);
}

/** Under an idempotency key: the answer of the first call again, its secret included. */
async function createOnce(
  context: Context,
  principal: Principal,
  input: Inputs['createSubscription'],
  endpoint: NewEndpoint,
  answer: (record: EndpointRecord) => CreatedSubscription,
): Promise<CreatedSubscription> {
  const { idempotency_key: key = '', ...rest } = input;
  const owner = `${principal.workspaceId}/${principal.kind}/${principal.keyId ?? ''}/${key}`;
  const result = await context.store.endpoints.insertOnce(endpoint, limits.endpointsPerWorkspaceMax, {
    principal: `${principal.kind}/${principal.keyId ?? ''}`,
    key,
    requestHash: createHash('sha256').update(JSON.stringify(rest)).digest(),
    seal: (record) => context.vault.seal(JSON.stringify(answer(record)), owner),
    now: context.clock.now(),
    validMs: idempotencyMs,
  });
  switch (result.outcome) {
    case 'created':
      return answer(result.endpoint);
    case 'repeated':
      return JSON.parse(context.vault.open(result.answer, owner)) as CreatedSubscription;
    case 'limit':
      throw limitReached();
    case 'conflict':
      throw new PosthornError('idempotency_conflict', 'This idempotency key was used for a different subscription.');
  }
}

export async function listSubscriptions(
  context: Context,
  principal: Principal,
  input: Inputs['listSubscriptions'],
): Promise<Page<Subscription>> {
  const around = await surroundings(context, principal);
  const rows = await context.store.endpoints.list(principal.workspaceId, {
    kind: 'subscription',
    status: input.status,
    before: rowBefore(input.cursor),
    limit: input.limit + 1,
  });
  return page(rows, input.limit, (row) => showSubscription(row, around));
}

export async function getSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['subscriptionId'],
): Promise<Subscription> {
  const record = await find(context, principal, input.subscription_id);
  return showSubscription(record, await surroundings(context, principal));
}

export async function updateSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['updateSubscription'],
): Promise<CreatedSubscription> {
  const { workspaceId } = principal;
  const record = await find(context, principal, input.subscription_id);
  if (input.events !== undefined) await checkPatterns(context, workspaceId, input.events);
  const target = input.url === undefined ? null : await checkTarget(context, input.url);
  if (record.status === 'pending_approval' && input.status !== undefined) {
    throw new PosthornError(
      'pending_approval',
      'It keeps this status until someone with webhooks:approve approves it.',
    );
  }
  const moved = target !== null && new URL(target.url).host !== new URL(record.url).host;
  const waits = moved && (await statusFor(context, workspaceId, target.url)) === 'pending_approval';
  const changed = await context.store.endpoints.update(workspaceId, record.id, {
    ...(target === null ? {} : { url: target.url }),
    ...(input.events === undefined ? {} : { events: [...new Set(input.events)] }),
    ...(input.description === undefined ? {} : { description: input.description }),
    ...(waits ? { status: 'pending_approval' } : input.status === undefined ? {} : { status: input.status }),
    now: context.clock.now(),
  });
  if (changed === null) throw notFound('subscription');
  context.wake();
  return {
    ...showSubscription(changed, await surroundings(context, principal)),
    ...(target === null || target.resolves
      ? {}
      : { warning: 'The host name does not resolve now; deliveries fail until it does.' }),
  };
}

/** Deleting cancels what it is owed. Its log stays until retention takes it. */
export async function deleteSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['subscriptionId'],
): Promise<{ id: string; deleted: true }> {
  const record = await find(context, principal, input.subscription_id);
  await context.store.endpoints.delete(principal.workspaceId, record.id, context.clock.now());
  return { id: record.publicId, deleted: true };
}

/** Sends the sample of an event type now. Changes no counter; works while paused or disabled. */
export async function testSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['testSubscription'],
): Promise<Attempt> {
  const record = await find(context, principal, input.subscription_id);
  if (record.status === 'pending_approval') {
    throw new PosthornError(
      'pending_approval',
      'Nothing is sent to an endpoint before it is approved, no test either.',
    );
  }
  const types = await catalogue(context, principal.workspaceId);
  const names = types.map(({ name }) => name);
  if (input.event_type !== undefined && !names.includes(input.event_type)) {
    const message = unknownName(input.event_type, names);
    throw new PosthornError('unknown_event_type', message, { errors: [{ path: '/event_type', message }] });
  }
  const sample =
    types.find(({ name }) => name === input.event_type) ??
    types.find(({ name }) => record.events.includes(name)) ??
    types.find(({ name }) => wants(record.events, name));
  if (sample === undefined) throw notFound('event type');
  const event = {
    publicId: context.newId('evt'),
    type: sample.name,
    data: JSON.stringify(sample.example),
    occurredAt: context.clock.now(),
  };
  const outcome = await context.sendTest(record.id, event);
  const attempt = await context.store.journey.recordTest({
    workspaceId: principal.workspaceId,
    endpointId: record.id,
    endpointVersion: outcome.endpointVersion,
    eventPublicId: event.publicId,
    type: event.type,
    data: event.data,
    attempt: outcome.attempt,
    freesHold: outcome.succeeded,
  });
  if (outcome.succeeded) context.wake();
  return showAttempt(attempt, false);
}

/**
 * A new secret; the old one signs too until the overlap is over. With the branded signature the receiver changes over when
 * it is, with Standard Webhooks at any time before.
 */
export async function rotateSecret(
  context: Context,
  principal: Principal,
  input: Inputs['rotateSecret'],
): Promise<CreatedSubscription> {
  const { workspaceId } = principal;
  checkSecret(input.secret);
  const overlapMs = input.overlap === undefined ? overlapMsDefault : durationMs(input.overlap);
  if (overlapMs === null || overlapMs > overlapMsMax) {
    const message = 'use 0s to 7d';
    throw new PosthornError('validation_failed', `overlap: ${message}.`, { errors: [{ path: '/overlap', message }] });
  }
  const record = await find(context, principal, input.subscription_id);
  const secret = input.secret ?? newSecret(context.random.bytes(secretBytes));
  const now = context.clock.now();
  const sealed = context.vault.seal(secret, record.publicId);
  await context.store.endpoints.rotateSecret(workspaceId, record.id, sealed, now + overlapMs, now);
  const shown = await getSubscription(context, principal, { subscription_id: record.publicId });
  return { ...shown, ...(input.secret === undefined ? { secret } : {}) };
}

/** Lets a pending endpoint receive. Never by the key that created it, nor by one that this key made. */
export async function approveSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['subscriptionId'],
): Promise<Subscription> {
  const { store, clock } = context;
  const record = await find(context, principal, input.subscription_id);
  const makers = principal.keyId === null ? [] : await store.keys.lineage(principal.keyId);
  if (record.createdByKeyId !== null && makers.includes(record.createdByKeyId)) {
    throw new PosthornError('approval_denied', 'The key that created it, or one made by that key, may not approve it.');
  }
  const approved = await store.endpoints.approve(principal.workspaceId, record.id, clock.now());
  context.wake();
  return showSubscription(approved ?? record, await surroundings(context, principal));
}

/** Whether an endpoint on this URL has to wait for approval: its host is new to the workspace, and the operator wants it. */
async function statusFor(context: Context, workspaceId: number, url: string): Promise<'active' | 'pending_approval'> {
  if (context.settings.newHosts === 'allow') return 'active';
  const known = await context.store.endpoints.knownHosts(workspaceId);
  return known.includes(new URL(url).host) ? 'active' : 'pending_approval';
}

async function find(context: Context, principal: Principal, publicId: string): Promise<EndpointRecord> {
  const record = await context.store.endpoints.get(principal.workspaceId, 'subscription', publicId);
  if (record === null) throw notFound('subscription');
  return record;
}

async function surroundings(context: Context, principal: Principal): Promise<Surroundings> {
  const [{ delivering }, latestEvent] = await Promise.all([
    readStatus(context, principal, {}),
    context.store.records.latestEvent(principal.workspaceId),
  ]);
  const { disableAfterFailures } = context.settings;
  return { now: context.clock.now(), delivering, disableAfterFailures, latestEvent };
}

async function checkTarget(context: Context, url: string): Promise<{ url: string; resolves: boolean }> {
  const verdict = await context.targets.check(url);
  if (verdict.allowed) return verdict;
  // One constant sentence: neither the URL nor what it resolves to, which would make us a scanner for strangers.
  const message = 'This URL may not be called: use a public https:// address on port 80, 443 or above 1023.';
  throw new PosthornError('target_not_allowed', message, { errors: [{ path: '/url', message }] });
}

function checkSecret(secret: string | undefined): void {
  const fault = secret === undefined ? null : secretFault(secret);
  if (fault !== null) {
    throw new PosthornError('validation_failed', `secret: ${fault}.`, {
      errors: [{ path: '/secret', message: fault }],
    });
  }
}

function limitReached(): PosthornError {
  return new PosthornError(
    'limit_reached',
    `A workspace holds at most ${limits.endpointsPerWorkspaceMax} endpoints; delete some first.`,
  );
}
