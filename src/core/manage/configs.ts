import type { Inputs } from '../inputs.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
import type { Surroundings } from '../rules/diagnose.ts';
import { showConfig } from '../rules/show.ts';
import type { Attempt, CreatedWebhookConfig, Page, Principal, Replayed, WebhookConfig } from '../types.ts';
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
import { changedHeaders, checkedHeaders, maskedHeaders } from './own-headers.ts';
import { replayEndpoint } from './replay.ts';
import { testEndpoint } from './test-endpoint.ts';

/** A webhook config: an endpoint that people name, with headers of its own, which automations can call. */
export async function createConfig(
  context: Context,
  principal: Principal,
  input: Inputs['createConfig'],
): Promise<CreatedWebhookConfig> {
  const { name, url, trigger_events: events, secret, headers = {}, include_trigger_data: includeData } = input;
  const { endpoint: draft, told } = await draftEndpoint(context, principal, 'config', { url, events, secret });
  const sealedHeaders = checkedHeaders(context, draft.publicId, headers);
  const around = await surroundings(context, principal);
  return insertEndpoint(context, principal, { ...draft, name, includeData, sealedHeaders }, input, (record) => ({
    ...show(context, record, around),
    ...told,
  }));
}

export function listConfigs(
  context: Context,
  principal: Principal,
  input: Inputs['listConfigs'],
): Promise<Page<WebhookConfig>> {
  return listEndpoints(context, principal, 'config', input, (record, around) => show(context, record, around));
}

export async function getConfig(
  context: Context,
  principal: Principal,
  input: Inputs['configId'],
): Promise<WebhookConfig> {
  const record = await find(context, principal, input);
  return show(context, record, await surroundings(context, principal));
}

export async function updateConfig(
  context: Context,
  principal: Principal,
  input: Inputs['updateConfig'],
): Promise<CreatedWebhookConfig> {
  const { name, url, headers, trigger_events: events, include_trigger_data: includeData, status } = input;
  const found = await find(context, principal, input);
  const { changed, told } = await changeEndpoint(context, principal, found, { url, events, status }, (record) => {
    const sealedHeaders = changedHeaders(context, record, headers, url);
    return {
      ...(name === undefined ? {} : { name }),
      ...(includeData === undefined ? {} : { includeData }),
      ...(sealedHeaders === undefined ? {} : { sealedHeaders }),
    };
  });
  return { ...show(context, changed, await surroundings(context, principal)), ...told };
}

export async function deleteConfig(
  context: Context,
  principal: Principal,
  input: Inputs['configId'],
): Promise<{ id: string; deleted: true }> {
  return deleteEndpoint(context, await find(context, principal, input));
}

export async function testConfig(
  context: Context,
  principal: Principal,
  input: Inputs['testConfig'],
): Promise<Attempt> {
  return testEndpoint(context, await find(context, principal, input), input.event_type);
}

export async function rotateConfigSecret(
  context: Context,
  principal: Principal,
  input: Inputs['rotateConfigSecret'],
): Promise<CreatedWebhookConfig> {
  const { record, told } = await rotateSecretOf(context, principal, 'config', input.config_id, input);
  return { ...show(context, record, await surroundings(context, principal)), ...told };
}

export async function replayConfig(
  context: Context,
  principal: Principal,
  input: Inputs['replayConfig'],
): Promise<Replayed> {
  return replayEndpoint(context, await find(context, principal, input), input);
}

export async function approveConfig(
  context: Context,
  principal: Principal,
  input: Inputs['approveConfig'],
): Promise<WebhookConfig> {
  const record = await approveEndpoint(context, principal, await find(context, principal, input), input.url);
  return show(context, record, await surroundings(context, principal));
}

/** The delivery log of a config, newest first. */
export function listConfigLogs(
  context: Context,
  principal: Principal,
  input: Inputs['listConfigAttempts'],
): Promise<Page<Attempt>> {
  return listEndpointLogs(context, principal, () => find(context, principal, input), input);
}

function find(context: Context, principal: Principal, input: Inputs['configId']): Promise<EndpointRecord> {
  return findEndpoint(context, principal, 'config', input.config_id);
}

function show(context: Context, record: EndpointRecord, around: Surroundings): WebhookConfig {
  return showConfig(record, around, maskedHeaders(context.vault, record));
}
