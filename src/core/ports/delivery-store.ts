import type { EventRecord, StoredEvent } from './record-store.ts';

/** What people change about deliveries. */
export interface DeliveryStore {
  /** Makes one more attempt due now, and frees the endpoint's hold. */
  retry(workspaceId: number, id: number, now: number): Promise<RetryOutcome>;
  /** Queues one step of a replay: the events after `afterEventId`, oldest first. */
  replay(workspaceId: number, step: ReplayStep): Promise<ReplayOutcome>;
  /** The row before the first event that was published at or after this time. */
  eventBefore(time: number): Promise<number>;
  /** Erases an event's payload and cancels what is pending of it; null when there is no such event. */
  erase(workspaceId: number, eventPublicId: string, now: number): Promise<EventRecord | null>;
}

export type RetryOutcome = 'queued' | 'in_flight' | 'not_found' | 'not_active' | 'canceled' | 'test' | 'erased';

export interface ReplayStep {
  endpointId: number;
  /** Names of event types that it wants. */
  types: string[];
  /** Whether its filter takes the event; left out, it has none, and no event need be read. */
  takes?: (event: StoredEvent) => boolean;
  afterEventId: number;
  since: number;
  until: number;
  failed: boolean;
  missed: boolean;
  succeeded: boolean;
  countMax: number;
  now: number;
}

export interface ReplayOutcome {
  queued: number;
  /** Where the next step begins; null when there are no more events. */
  lastEventId: number | null;
  /** When the first event that was not looked at any more was published. */
  nextAt: number | null;
}
