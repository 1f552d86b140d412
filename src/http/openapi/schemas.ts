import { z } from 'zod';
import * as types from '../../core/types.ts';
import { updatedWebhookConfig } from '../api/configs.ts';
import { updatedSubscription } from '../api/subscriptions.ts';
import { problemSchema } from '../problem.ts';

/** A piece of the OpenAPI document. */
export interface Json {
  [key: string]: unknown;
}

/** The objects that the document names; whatever else an answer holds is written out where it stands. */
const named = z.registry<{ id: string }>();
named.add(types.subscription, { id: 'Subscription' });
named.add(types.createdSubscription, { id: 'CreatedSubscription' });
named.add(updatedSubscription, { id: 'UpdatedSubscription' });
named.add(types.webhookConfig, { id: 'WebhookConfig' });
named.add(types.createdWebhookConfig, { id: 'CreatedWebhookConfig' });
named.add(updatedWebhookConfig, { id: 'UpdatedWebhookConfig' });
named.add(types.automation, { id: 'Automation' });
named.add(types.attempt, { id: 'Attempt' });
named.add(types.delivery, { id: 'Delivery' });
named.add(types.published, { id: 'Published' });
named.add(types.event, { id: 'Event' });
named.add(types.eventWithDeliveries, { id: 'EventWithDeliveries' });
named.add(types.eventType, { id: 'EventType' });
named.add(types.apiKey, { id: 'ApiKey' });
named.add(types.createdApiKey, { id: 'CreatedApiKey' });
named.add(types.auditRow, { id: 'AuditRow' });
named.add(problemSchema, { id: 'Problem' });

/** Collects the named objects that the document refers to. */
export class Components {
  readonly schemas: Json = {};

  /** What an answer looks like. Fields may be added later, so nothing is said against further ones. */
  output(schema: z.ZodType): Json {
    const { $defs = {}, ...rest } = z.toJSONSchema(z.object({ it: schema }), {
      io: 'output',
      metadata: named,
      override: describe,
    });
    for (const [name, definition] of Object.entries($defs)) {
      if (!isAnonymous(name)) this.schemas[name] ??= plain(definition);
    }
    return plain((rest.properties as Json)['it']) as Json;
  }

  problem(): Json {
    return this.output(problemSchema);
  }
}

/** With a registry of its own, zod leaves out the descriptions, which stand in the global one. */
function describe({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodType;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  const description = z.globalRegistry.get(zodSchema)?.description;
  if (description !== undefined) jsonSchema.description = description;
}

/** What is asked of a field of the input. Unknown fields are refused, and the schema says so. */
export function plainInput(schema: unknown): Json {
  return plain(schema, true) as Json;
}

/** zod names a recursive schema without an id so; the only one is "any JSON", which is the empty schema. */
function isAnonymous(name: string): boolean {
  return name.startsWith('__');
}

function isAnything(schema: unknown): boolean {
  return Object.keys(plain(schema) as Json).length === 0;
}

/** JSON Schema as OpenAPI wants it, without what only repeats: patterns of formats, the bounds of every integer. */
function plain(schema: unknown, isInput = false): unknown {
  if (Array.isArray(schema)) return schema.map((item) => plain(item, isInput));
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([key, value]) => says(key, value, schema as Json, isInput));
  return Object.fromEntries(
    entries.flatMap(([key, value]) => [reference(key, value) ?? [[key, plain(value, isInput)]]]).flat(),
  );
}

function says(key: string, value: unknown, schema: Json, isInput: boolean): boolean {
  if (key === '$schema' || (key === 'id' && typeof value === 'string')) return false;
  if (key === 'pattern') return schema['format'] === undefined;
  if (key === 'minimum' || key === 'maximum') return Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER;
  if (key === 'anyOf' && Array.isArray(value) && value.some(isAnything)) return false;
  return isInput || key !== 'additionalProperties' || value !== false;
}

function reference(key: string, value: unknown): [string, unknown][] | null {
  if (key !== '$ref' || typeof value !== 'string') return null;
  const name = value.replace('#/$defs/', '');
  return isAnonymous(name) ? [] : [['$ref', `#/components/schemas/${name}`]];
}
