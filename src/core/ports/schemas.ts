/** JSON Schema 2020-12, as event types use it. */
export interface Schemas {
  /** Checks the text of a schema and makes it ready to use. Never rejects; what was compiled lately is kept. */
  compile(text: string): Promise<CompiledSchema>;
}
export type CompiledSchema = { check: SchemaCheck } | { fault: SchemaFault };
/** Null: the data fits. Never throws, and ends within a fixed number of steps. */
export type SchemaCheck = (data: unknown) => SchemaFault | null;
/** `path` is a JSON pointer into what was checked, `message` our sentence or the validator's. */
export interface SchemaFault {
  path: string;
  message: string;
}

export const validations = ['off', 'warn', 'reject'] as const;
/** What becomes of an event whose data does not fit the schema of its type. */
export type Validation = (typeof validations)[number];

/** An event type, as far as publishing looks at it. */
export interface MatchableType {
  name: string;
  /** Text of a JSON Schema; null where events need not fit one. */
  schema: string | null;
  validation: Validation;
}
