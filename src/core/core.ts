import type { z } from 'zod';
import { inputs } from './inputs.ts';
import { makePublisher } from './journey/accept.ts';
import { makeTestSender } from './journey/send.ts';
import { makeWorker, type Worker } from './journey/worker.ts';
import {
  createAutomation,
  deleteAutomation,
  dryRunAutomation,
  getAutomation,
  listAutomations,
  updateAutomation,
} from './manage/automations.ts';
import { listAudit } from './manage/audit.ts';
import { authenticate, bootstrap, createKey, listKeys, localPrincipal, revokeKey } from './manage/keys.ts';
import {
  approveConfig,
  createConfig,
  deleteConfig,
  getConfig,
  listConfigLogs,
  listConfigs,
  replayConfig,
  rotateConfigSecret,
  testConfig,
  updateConfig,
} from './manage/configs.ts';
import { getDelivery, listDeliveries, retryDelivery } from './manage/deliveries.ts';
import { dryRun } from './manage/dry-run.ts';
import { eraseEventData, getEvent, listEvents } from './manage/events.ts';
import { deleteEventType, listEventTypes, putEventType } from './manage/event-types.ts';
import {
  approveSubscription,
  createSubscription,
  deleteSubscription,
  getSubscription,
  listSubscriptionLogs,
  listSubscriptions,
  replaySubscription,
  rotateSecret,
  testSubscription,
  updateSubscription,
} from './manage/subscriptions.ts';
import { getAttempt, listDeliveryAttempts } from './manage/attempts.ts';
import { countMissed, listFailingEndpoints, readStatistics } from './manage/overview.ts';
import { listLogs } from './manage/logs.ts';
import { resumeSession, type Session, signIn } from './manage/sessions.ts';
import { readStatus } from './manage/status.ts';
import type { Ports } from './ports/ports.ts';
import { makeRateLimit } from './rules/rate.ts';
import { makeVault } from './rules/seal.ts';
import type { Settings } from './settings.ts';
import type { Principal, Published, Via } from './types.ts';
import { change, type Context, perform, type UseCase, useCase } from './use-case.ts';

/** Everything that can be asked of Posthorn, except publishing, which is the journey's. */
export const useCases = {
  createSubscription: change('subscription.create', 'webhooks:write', inputs.createSubscription, createSubscription),
  listSubscriptions: useCase('webhooks:read', inputs.listSubscriptions, listSubscriptions),
  getSubscription: useCase('webhooks:read', inputs.subscriptionId, getSubscription),
  updateSubscription: change('subscription.update', 'webhooks:write', inputs.updateSubscription, updateSubscription),
  deleteSubscription: change('subscription.delete', 'webhooks:delete', inputs.subscriptionId, deleteSubscription),
  testSubscription: useCase('webhooks:write', inputs.testSubscription, testSubscription),
  rotateSecret: change('subscription.rotate_secret', 'webhooks:write', inputs.rotateSecret, rotateSecret),
  replaySubscription: change('subscription.replay', 'webhooks:write', inputs.replay, replaySubscription),
  approveSubscription: change(
    'subscription.approve',
    'webhooks:approve',
    inputs.approveSubscription,
    approveSubscription,
  ),
  createConfig: change('config.create', 'webhooks:write', inputs.createConfig, createConfig),
  listConfigs: useCase('webhooks:read', inputs.listConfigs, listConfigs),
  getConfig: useCase('webhooks:read', inputs.configId, getConfig),
  updateConfig: change('config.update', 'webhooks:write', inputs.updateConfig, updateConfig),
  deleteConfig: change('config.delete', 'webhooks:delete', inputs.configId, deleteConfig),
  testConfig: useCase('webhooks:write', inputs.testConfig, testConfig),
  rotateConfigSecret: change('config.rotate_secret', 'webhooks:write', inputs.rotateConfigSecret, rotateConfigSecret),
  replayConfig: change('config.replay', 'webhooks:write', inputs.replayConfig, replayConfig),
  approveConfig: change('config.approve', 'webhooks:approve', inputs.approveConfig, approveConfig),
  listConfigLogs: useCase('webhooks:read', inputs.listConfigAttempts, listConfigLogs),
  createAutomation: change('automation.create', 'webhooks:write', inputs.createAutomation, createAutomation),
  listAutomations: useCase('webhooks:read', inputs.listAutomations, listAutomations),
  getAutomation: useCase('webhooks:read', inputs.automationId, getAutomation),
  updateAutomation: change('automation.update', 'webhooks:write', inputs.updateAutomation, updateAutomation),
  deleteAutomation: change('automation.delete', 'webhooks:delete', inputs.automationId, deleteAutomation),
  dryRunAutomation: useCase('webhooks:write', inputs.automationId, dryRunAutomation),
  listLogs: useCase('webhooks:read', inputs.listAllAttempts, listLogs),
  listSubscriptionLogs: useCase('webhooks:read', inputs.listAttempts, listSubscriptionLogs),
  listEventTypes: useCase('webhooks:read', inputs.listEventTypes, listEventTypes),
  putEventType: change('event_type.put', 'webhooks:write', inputs.putEventType, putEventType),
  deleteEventType: change('event_type.delete', 'webhooks:write', inputs.eventTypeName, deleteEventType),
  listEvents: useCase('events:read', inputs.listEvents, listEvents),
  getEvent: useCase('events:read', inputs.eventId, getEvent),
  eraseEventData: change('event.erase_data', 'webhooks:write', inputs.eventId, eraseEventData),
  listDeliveries: useCase('webhooks:read', inputs.listDeliveries, listDeliveries),
  getDelivery: useCase('webhooks:read', inputs.deliveryId, getDelivery),
  getAttempt: useCase('webhooks:read', inputs.attemptId, getAttempt),
  listDeliveryAttempts: useCase('webhooks:read', inputs.deliveryId, listDeliveryAttempts),
  readStatistics: useCase('webhooks:read', inputs.statistics, readStatistics),
  listFailingEndpoints: useCase('webhooks:read', inputs.none, listFailingEndpoints),
  countMissed: useCase('webhooks:read', inputs.missed, countMissed),
  retryDelivery: change('delivery.retry', 'webhooks:write', inputs.deliveryId, retryDelivery),
  dryRun: useCase('webhooks:write', inputs.dryRun, dryRun),
  listAudit: useCase('keys:admin', inputs.listAudit, listAudit),
  readStatus: useCase('webhooks:read', inputs.none, readStatus),
  createKey: change('key.create', 'keys:admin', inputs.createKey, createKey),
  listKeys: useCase('keys:admin', inputs.listKeys, listKeys),
  revokeKey: change('key.revoke', 'keys:admin', inputs.keyId, revokeKey),
} as const;

type UseCases = typeof useCases;
type OutputOf<U> = U extends UseCase<z.ZodType, infer O> ? O : never;

/** One function per use case: checks the principal's scope and the input, then does it. */
export type Actions = {
  [K in keyof UseCases]: (principal: Principal, input: unknown) => Promise<OutputOf<UseCases[K]>>;
};

/** Posthorn without its faces. */
export interface Core extends Actions {
  /** Accepts one event, or an array of up to 1,000 of them whole or not at all. Answers after the commit. */
  publish(principal: Principal, input: unknown): Promise<PublishAnswer>;
  publishMany(principal: Principal, input: unknown[]): Promise<PublishAnswer[]>;
  /** The principal of a key as it stands in an Authorization header. Throws `unauthorized`. */
  authenticate(key: string, via: Via): Promise<Principal>;
  /**
   * Opens a session of the page with a key, which is read only of a caller who may still try. `caller`: the address whose
   * failures are counted.
   */
  signIn(given: { readKey: () => Promise<string>; caller: string; via: Via }): Promise<Session>;
  /** The session of a token that `signIn` gave. Throws `unauthorized` once it or its key is no longer valid. */
  resumeSession(token: string, via: Via): Promise<Session>;
  /** Who acts when no key is given on this machine: every scope but the three that stay with people. */
  localPrincipal(via: Via): Promise<Principal>;
  /** Makes the workspace and, when no key exists and no admin key is set, a first key, which it answers once. */
  bootstrap(): Promise<{ key: string | null }>;
  worker: Worker;
  /** Writes down what was only counted. Nothing may be published afterwards. */
  close(): Promise<void>;
}

export type { Session } from './manage/sessions.ts';

/** From one address. Keys cannot be guessed; this keeps a guesser from keeping the database busy. */
const failedSignInsPerMinute = 20;

/** `repeated`: the id was published before, and this is the first answer again. */
export interface PublishAnswer {
  published: Published;
  repeated: boolean;
}

export function createCore(ports: Ports, settings: Settings, secretKey: Buffer): Core {
  const vault = makeVault(secretKey, ports.random);
  const worker = makeWorker(ports, settings, vault);
  const context: Context = {
    ...ports,
    settings,
    vault,
    wake: () => worker.wake(),
    endpointChanged: (endpointId) => worker.endpointChanged(endpointId),
    sendTest: makeTestSender(ports, settings, vault),
  };
  const signIns = makeRateLimit(failedSignInsPerMinute);
  const publisher = makePublisher(ports, settings, (wide) => worker.wake(wide));
  return {
    ...actions(context),
    publish: publisher.publish,
    publishMany: publisher.publishMany,
    authenticate: (key, via) => authenticate(context, key, via),
    signIn: (given) => signIn(context, signIns, given),
    resumeSession: (token, via) => resumeSession(context, token, via),
    localPrincipal: (via) => localPrincipal(context, via),
    bootstrap: () => bootstrap(context),
    worker,
    close: publisher.close,
  };
}

function actions(context: Context): Actions {
  const bound = Object.entries(useCases).map(([name, one]) => [
    name,
    (principal: Principal, input: unknown) => perform(one as UseCase<z.ZodType, unknown>, context, principal, input),
  ]);
  return Object.fromEntries(bound) as Actions;
}
