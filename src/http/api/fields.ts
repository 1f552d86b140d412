import { z } from 'zod';
import type { Route } from './route.ts';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** One field of the input, as JSON Schema, and whether it has to be given. */
export interface Field {
  schema: JsonSchema;
  required: boolean;
}

/** Where each field of a route's input comes from. Names of query parameters are REST's. */
export interface Fields {
  query: Map<string, Field>;
  body: Map<string, Field>;
}

/** The one field that REST spells otherwise: `?include=untrusted_response`. */
export const includeField = 'include_untrusted_response';

/** What is neither in the path nor in a header stands in the query of a GET and in the body of everything else. */
export function fieldsOf(route: Route): Fields {
  const { properties = {}, required = [] } = z.toJSONSchema(route.input, { io: 'input' });
  const taken = new Set([...Object.values(route.params), ...Object.values(route.headers)]);
  const rest = Object.entries(properties).filter(([name]) => !taken.has(name));
  const fields = new Map(
    rest.map(([name, schema]): [string, Field] => [
      name,
      { schema: schema as JsonSchema, required: required.includes(name) },
    ]),
  );
  return route.method === 'GET' ? { query: withInclude(fields), body: new Map() } : { query: new Map(), body: fields };
}

function withInclude(fields: Map<string, Field>): Map<string, Field> {
  const field = fields.get(includeField);
  if (field === undefined) return fields;
  const { description = '' } = field.schema;
  fields.delete(includeField);
  fields.set('include', { schema: { type: 'string', enum: ['untrusted_response'], description }, required: false });
  return fields;
}
