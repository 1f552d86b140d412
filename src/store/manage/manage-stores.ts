import type { Store } from '../../core/ports.ts';
import type { Access } from '../access.ts';
import { answering } from '../answering.ts';
import { deliveryStore } from './deliveries.ts';
import { endpointStore } from './endpoints.ts';
import { keyStore } from './keys.ts';
import { recordStore } from './records.ts';

/** The ports of what people manage, shared by both engines. */
export function manageStores(access: Access): Pick<Store, 'endpoints' | 'records' | 'deliveries' | 'keys'> {
  return {
    endpoints: answering(endpointStore(access)),
    records: answering(recordStore(access)),
    deliveries: answering(deliveryStore(access)),
    keys: answering(keyStore(access)),
  };
}
