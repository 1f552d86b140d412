/** The language of filters and conditions. */
export interface Conditions {
  /** Checks a text and makes it ready to use. Never throws; what was compiled lately is kept. */
  compile(text: string): Compiled;
}
export type Compiled = { condition: Condition } | { fault: ConditionFault };
/** Never throws, and ends within a fixed number of steps. A fault: it has no value for this event. */
export type Condition = (subject: ConditionSubject) => boolean | ConditionFault;
export interface ConditionSubject {
  event: { id: string; type: string; timestamp: string };
  /** As JSON.parse reads it. */
  data: unknown;
}
/** Our sentence about the expression, with the place in it; lines and columns count from 1. Holds nothing of an event. */
export interface ConditionFault {
  reason: string;
  line: number;
  column: number;
}

/** `count` more events that the endpoint's filter had no value for; `sentence` says why, `at` when the last one came. */
export interface FilterErrorNote {
  workspaceId: number;
  endpointId: number;
  count: number;
  sentence: string;
  at: number;
}
/** What of that is shown on the endpoint. */
export interface FilterErrorCount {
  count: number;
  /** Our sentence, with the place in the filter. */
  last: string | null;
  lastAt: number | null;
}
