import type { AttemptError } from '../vocabulary.ts';
import type { AuditStore, Author } from './audit-store.ts';
import type { AutomationStore } from './automation-store.ts';
import type { Conditions } from './conditions.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { EndpointStore } from './endpoint-store.ts';
import type { JourneyStore } from './journey-store.ts';
import type { KeyStore } from './key-store.ts';
import type { OverviewStore } from './overview-store.ts';
import type { RecordStore } from './record-store.ts';
import type { Schemas } from './schemas.ts';
import type { Sender, Targets } from './sender.ts';
import type { SettingsStore } from './settings-store.ts';

/** What core needs from outside. Times are epoch milliseconds, ids of rows are integers. */
export interface Ports {
  store: Store;
  sender: Sender;
  targets: Targets;
  conditions: Conditions;
  schemas: Schemas;
  metrics: Metrics;
  clock: Clock;
  random: Random;
  newId: NewId;
  log: Log;
}

export interface Clock {
  now(): number;
  /** Milliseconds since some moment, for what takes how long: nobody sets it, while `now` may be set back by an hour. */
  monotonic(): number;
  /** Calls back once after `ms`; the returned function cancels. */
  after(ms: number, run: () => void): () => void;
}

export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  bytes(count: number): Buffer;
}

/** Makes a public id: a TypeID over UUIDv7, such as `evt_01kb…`. */
export type NewId = (prefix: 'evt' | 'sub' | 'cfg' | 'key' | 'aut' | 'wsp') => string;

/** Counts what happens. No figure is kept by workspace. */
export interface Metrics {
  accepted(events: number, deliveries: number): void;
  attempted(error: AttemptError | null, durationMs: number): void;
}

export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/**
 * The database. Every method is one transaction unless it says otherwise. A method throws PosthornError
 * `store_unavailable` when the database is locked, full or away, and has then stored nothing.
 */
export interface Store {
  readonly engine: 'sqlite' | 'postgres';
  journey: JourneyStore;
  endpoints: EndpointStore;
  records: RecordStore;
  deliveries: DeliveryStore;
  keys: KeyStore;
  overview: OverviewStore;
  audit: AuditStore;
  automations: AutomationStore;
  settings: SettingsStore;
  /**
   * The same database for one use case, which is the author of what it changes: its first change writes a row into the
   * audit log, in the same transaction. Null: it may change nothing.
   */
  for(author: Author | null): Store;
  /** Calls back when another process may have made deliveries due. */
  onOutsideChange(listener: () => void): void;
  /** Answers when the database does. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
