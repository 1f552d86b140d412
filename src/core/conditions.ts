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
