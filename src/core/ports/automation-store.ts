/** When this event (and this condition), call these webhook configs. */
export interface AutomationRecord {
  id: number;
  publicId: string;
  workspaceId: number;
  name: string;
  /** A name of an event type, a family or `*`. */
  triggerEvent: string;
  conditions: string | null;
  /** Public ids of the configs that it calls, in their order. */
  configIds: string[];
  enabled: boolean;
  runs: AutomationRuns;
  createdAt: number;
  updatedAt: number;
}

/** What became of it when its trigger event came. Errors are counted since the conditions were set. */
export interface AutomationRuns {
  firedCount: number;
  lastFiredAt: number | null;
  errorCount: number;
  /** Our sentence, with the place in the conditions. */
  lastError: string | null;
  lastErrorAt: number | null;
}

export interface NewAutomation {
  publicId: string;
  workspaceId: number;
  name: string;
  triggerEvent: string;
  conditions: string | null;
  configIds: string[];
  enabled: boolean;
  createdByKeyId: number | null;
  now: number;
}
export type AutomationChange = Partial<
  Pick<NewAutomation, 'name' | 'triggerEvent' | 'conditions' | 'configIds' | 'enabled'>
> & { now: number };

export type AutomationOutcome =
  | { outcome: 'stored'; automation: AutomationRecord }
  | { outcome: 'not_found' | 'limit' }
  /** `configIds[index]` is no config of the workspace: nothing was stored. */
  | { outcome: 'unknown_config'; index: number };

/** `fired` more times its configs were called, `errors` more times its conditions had no value. */
export interface AutomationNote {
  workspaceId: number;
  automationId: number;
  fired: number;
  errors: number;
  /** Why, of the last error. */
  sentence: string | null;
  at: number;
}

/** What calls a config, as far as matching needs it. */
export interface AutomationTrigger {
  triggerEvent: string;
  conditions: string | null;
}

/** One that is enabled. */
export interface MatchableAutomation extends AutomationTrigger {
  id: number;
  /** Of the configs that it calls, those that are active. */
  endpointIds: number[];
}

export interface AutomationRef {
  publicId: string;
  name: string;
}

export interface AutomationStore {
  insert(automation: NewAutomation, countMax: number): Promise<AutomationOutcome>;
  get(workspaceId: number, publicId: string): Promise<AutomationRecord | null>;
  list(workspaceId: number, before: number | undefined, limit: number): Promise<AutomationRecord[]>;
  update(workspaceId: number, publicId: string, change: AutomationChange): Promise<AutomationOutcome>;
  /** False when there is none. */
  delete(workspaceId: number, publicId: string): Promise<boolean>;
  /** Those that are enabled and call this endpoint. */
  triggersOf(workspaceId: number, endpointId: number): Promise<AutomationTrigger[]>;
  /** Counts what became of automations. What was deleted meanwhile is passed over. */
  noteRuns(notes: AutomationNote[]): Promise<void>;
}
