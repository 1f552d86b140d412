import { createAutomation } from './create_automation.ts';
import { createWebhookConfig } from './create_webhook_config.ts';
import { createWebhookSubscription } from './create_webhook_subscription.ts';
import { deleteAutomation } from './delete_automation.ts';
import { deleteWebhookConfig } from './delete_webhook_config.ts';
import { deleteWebhookSubscription } from './delete_webhook_subscription.ts';
import { getEvent } from './get_event.ts';
import { getWebhookConfig } from './get_webhook_config.ts';
import { getWebhookSubscription } from './get_webhook_subscription.ts';
import { listAutomations } from './list_automations.ts';
import { listEventTypes } from './list_event_types.ts';
import { listEvents } from './list_events.ts';
import { listWebhookConfigLogs } from './list_webhook_config_logs.ts';
import { listWebhookConfigs } from './list_webhook_configs.ts';
import { listWebhookSubscriptionLogs } from './list_webhook_subscription_logs.ts';
import { listWebhookSubscriptions } from './list_webhook_subscriptions.ts';
import { publishEvent } from './publish_event.ts';
import { replayWebhookDeliveries } from './replay_webhook_deliveries.ts';
import { retryWebhookDelivery } from './retry_webhook_delivery.ts';
import { rotateWebhookSecret } from './rotate_webhook_secret.ts';
import { testWebhookConfig } from './test_webhook_config.ts';
import { testWebhookSubscription } from './test_webhook_subscription.ts';
import { updateAutomation } from './update_automation.ts';
import { updateWebhookConfig } from './update_webhook_config.ts';
import { updateWebhookSubscription } from './update_webhook_subscription.ts';
import type { Tool } from './define.ts';

export type { Tool } from './define.ts';

/** What POSTHORN_TOOLS is when it is not set. */
export const defaultToolGroups = ['subscriptions', 'events'] as const;

/** Every tool, in the order in which clients list them. */
export const tools: readonly Tool[] = [
  createWebhookSubscription,
  listWebhookSubscriptions,
  listWebhookSubscriptionLogs,
  getWebhookSubscription,
  updateWebhookSubscription,
  deleteWebhookSubscription,
  testWebhookSubscription,
  rotateWebhookSecret,
  replayWebhookDeliveries,
  retryWebhookDelivery,
  listEventTypes,
  publishEvent,
  listEvents,
  getEvent,
  createWebhookConfig,
  listWebhookConfigs,
  getWebhookConfig,
  updateWebhookConfig,
  deleteWebhookConfig,
  testWebhookConfig,
  listWebhookConfigLogs,
  createAutomation,
  listAutomations,
  updateAutomation,
  deleteAutomation,
];

/** The tools that the operator switched on: those of the groups, in read-only mode only those that change nothing. */
export function chooseTools(groups: readonly string[], readOnly: boolean): Tool[] {
  return tools.filter((tool) => groups.includes(tool.group) && (!readOnly || tool.annotations.readOnlyHint));
}
