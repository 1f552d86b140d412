import type { Inputs } from '../inputs.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
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
  listEndpoints,
  rotateSecretOf,
  surroundings,
} from './endpoints.ts';
import { insertEndpoint } from './insert-endpoint.ts';
import { listEndpointLogs } from './logs.ts';
import { replayEndpoint } from './replay.ts';
import { testEndpoint } from './test-endpoint.ts';

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
  return insertEndpoint(context, principal, endpoint, input, answer);
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
  const { changed, told } = await changeEndpoint(context, principal, record, input, () => own);
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
