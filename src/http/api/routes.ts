import { auditRoutes } from './audit.ts';
import { automationRoutes } from './automations.ts';
import { conditionRoutes } from './conditions.ts';
import { configRoutes } from './configs.ts';
import { deliveryRoutes } from './deliveries.ts';
import { eventTypeRoutes } from './event-types.ts';
import { eventRoutes } from './events.ts';
import { keyRoutes } from './keys.ts';
import type { Route } from './route.ts';
import { overviewRoutes } from './overview.ts';
import { subscriptionRoutes } from './subscriptions.ts';

/** Every route that needs a key. Publishing stands first: it is what is asked most. */
export const routes: readonly Route[] = [
  ...eventRoutes,
  ...subscriptionRoutes,
  ...configRoutes,
  ...automationRoutes,
  ...deliveryRoutes,
  ...overviewRoutes,
  ...eventTypeRoutes,
  ...conditionRoutes,
  ...keyRoutes,
  ...auditRoutes,
];
