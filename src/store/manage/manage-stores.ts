import type { Store } from '../../core/ports/ports.ts';
import type { ChangeAccess } from '../access.ts';
import { answering } from '../answering.ts';
import { auditStore } from './audit.ts';
import { automationStore } from './automations.ts';
import { deliveryStore } from './deliveries.ts';
import { endpointStore } from './endpoints.ts';
import { keyStore } from './keys.ts';
import { recordStore } from './records.ts';
import { settingsStore } from './settings.ts';

export type ManageStores = Pick<
  Store,
  'endpoints' | 'records' | 'deliveries' | 'keys' | 'audit' | 'automations' | 'settings'
>;

/** The ports of what people manage, shared by both engines. */
export function manageStores(access: ChangeAccess): ManageStores {
  return {
    endpoints: answering(endpointStore(access)),
    records: answering(recordStore(access)),
    deliveries: answering(deliveryStore(access)),
    keys: answering(keyStore(access)),
    automations: answering(automationStore(access)),
    audit: answering(auditStore(access)),
    settings: answering(settingsStore(access)),
  };
}
