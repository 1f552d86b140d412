import { createHash } from 'node:crypto';
import { PosthornError } from '../errors.ts';
import { type Inputs, limits } from '../inputs.ts';
import type { EndpointRecord, NewEndpoint } from '../ports.ts';
import { checkCondition } from '../rules/condition.ts';
import { showSubscription } from '../rules/show.ts';
import type { Attempt, CreatedSubscription, Page, Principal, Replayed, Subscription } from '../types.ts';
import type { Context } from '../use-case.ts';
import { approveEndpoint } from './approval.ts';
import {
  changeEndpoint,
  deleteEndpoint,
  draftEndpoint,
  findEndpoint,
  limitReached,
  listEndpoints,
  rotateSecretOf,
  surroundings,
} from './endpoints.ts';
import { listEndpointLogs } from './logs.ts';
import { replayEndpoint } from './replay.ts';
import { testEndpoint } from './test-endpoint.ts';

const idempotencyMs = 24 * 3_600_000;

export async function createSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['createSubscription'],
): Promise<CreatedSubscription> {
  checkCondition(context.conditions, input.filter, '/filter');
  const { endpoint: draft, told } = await draftEndpoint(context, principal, 'subscription', input);
  const endpoint = { ...draft, description: input.description ?? null, filter: input.filter ?? null };
  const around = await surroundings(context, principal);
  const answer = (record: EndpointRecord) => ({ ...showSubscription(record, around), ...told });
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

export function listSubscriptions(
  context: Context,
  principal: Principal,
  input: Inputs['listSubscriptions'],
): Promise<Page<Subscription>> {
  return listEndpoints(context, principal, 'subscription', input, showSubscription);
}

export async function getSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['subscriptionId'],
): Promise<Subscription> {
  const record = await find(context, principal, input);
  return showSubscription(record, await surroundings(context, principal));
}

export async function updateSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['updateSubscription'],
): Promise<CreatedSubscription> {
  const { description, filter } = input;
  checkCondition(context.conditions, filter, '/filter');
  const record = await find(context, principal, input);
  const own = {
    ...(description === undefined ? {} : { description }),
    ...(filter === undefined ? {} : { filter }),
  };
  const { changed, told } = await changeEndpoint(context, principal, record, input, own);
  return { ...showSubscription(changed, await surroundings(context, principal)), ...told };
}

export async function deleteSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['subscriptionId'],
): Promise<{ id: string; deleted: true }> {
  return deleteEndpoint(context, await find(context, principal, input));
}

export async function testSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['testSubscription'],
): Promise<Attempt> {
  return testEndpoint(context, await find(context, principal, input), input.event_type);
}

export async function rotateSecret(
  context: Context,
  principal: Principal,
  input: Inputs['rotateSecret'],
): Promise<CreatedSubscription> {
  const { record, told } = await rotateSecretOf(context, principal, 'subscription', input.subscription_id, input);
  return { ...showSubscription(record, await surroundings(context, principal)), ...told };
}

export async function replaySubscription(
  context: Context,
  principal: Principal,
  input: Inputs['replay'],
): Promise<Replayed> {
  return replayEndpoint(context, await find(context, principal, input), input);
}

export async function approveSubscription(
  context: Context,
  principal: Principal,
  input: Inputs['approveSubscription'],
): Promise<Subscription> {
  const record = await approveEndpoint(context, principal, await find(context, principal, input), input.url);
  return showSubscription(record, await surroundings(context, principal));
}

/** The delivery log of a subscription, newest first. */
export function listSubscriptionLogs(
  context: Context,
  principal: Principal,
  input: Inputs['listAttempts'],
): Promise<Page<Attempt>> {
  return listEndpointLogs(context, principal, () => find(context, principal, input), input);
}

function find(context: Context, principal: Principal, input: Inputs['subscriptionId']): Promise<EndpointRecord> {
  return findEndpoint(context, principal, 'subscription', input.subscription_id);
}
