import type { Tool as ListedTool } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Tool } from '../../tools/define.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Longer lists of values cost more in every conversation than they tell: values explain themselves when they come. */
const outputEnumValuesMax = 4;

/** How `tools/list` shows a tool. Made once for each tool: a server is made for every HTTP request. */
export function advertise(tool: Tool): ListedTool {
  const known = advertised.get(tool);
  if (known !== undefined) return known;
  const listed: ListedTool = {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: inputSchema(tool.input) as ListedTool['inputSchema'],
    outputSchema: outputSchema(tool.output),
    annotations: tool.annotations,
  };
  advertised.set(tool, listed);
  return listed;
}

const advertised = new WeakMap<Tool, ListedTool>();

/** JSON Schema 2020-12, which is what MCP takes a schema for that names no dialect. */
function inputSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

/**
 * The output's shape without what a model does not need to read an answer: patterns, bounds, descriptions, `required`.
 * What is left out makes the schema wider, so every answer still fits it. Whole, it would cost more than all the rest.
 */
function outputSchema(schema: z.ZodType): JsonSchema {
  return lean(z.toJSONSchema(schema, { io: 'output' }));
}

function lean(schema: JsonSchema): JsonSchema {
  const orNull = nullable(schema);
  if (orNull !== null) return { type: [orNull.type ?? 'object', 'null'] } as unknown as JsonSchema;
  const kept: JsonSchema = {};
  if (schema.type !== undefined) kept.type = schema.type;
  if (schema.enum !== undefined && schema.enum.length <= outputEnumValuesMax) kept.enum = schema.enum;
  if (schema.const !== undefined) kept.const = schema.const;
  if (schema.properties !== undefined) {
    const properties = Object.entries(schema.properties).map(([name, property]) => [name, leanProperty(property)]);
    kept.properties = Object.fromEntries(properties);
  }
  if (schema.items !== undefined && !Array.isArray(schema.items)) kept.items = leanProperty(schema.items);
  return kept;
}

function leanProperty(property: z.core.JSONSchema._JSONSchema): z.core.JSONSchema._JSONSchema {
  return typeof property === 'boolean' ? property : lean(property);
}

/** The schema beside null in `anyOf: [schema, null]`, which is how zod writes a nullable value. */
function nullable(schema: JsonSchema): JsonSchema | null {
  const [first, second, ...others] = schema.anyOf ?? [];
  if (typeof first !== 'object' || typeof second !== 'object' || others.length > 0) return null;
  return second.type === 'null' ? first : null;
}
