import type { EventType } from '../../core/types.ts';
import type { Json } from './schemas.ts';

/** The part of a document that tells receivers what they get: one webhook for each event type. */
export function webhooksOf(types: readonly EventType[]): Json {
  return Object.fromEntries(types.map((type) => [type.name, { post: webhook(type) }]));
}

function webhook(type: EventType): Json {
  return {
    summary: type.description,
    security: [],
    parameters: Object.keys(headerParameters('')).map((name) => ({ $ref: `#/components/parameters/${name}` })),
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: envelopeSchema(type),
          example: { id: 'evt_1', type: type.name, timestamp: '2026-11-23T10:00:00.000Z', data: type.example },
        },
      },
    },
    responses: {
      '2XX': { description: 'Received. Answer first and work afterwards; whatever is in the body is not looked at.' },
      '410': { description: 'Gone: nothing more is sent.' },
      default: { description: 'Not received: it is sent again, with the same webhook-id.' },
    },
  };
}

function envelopeSchema({ name, schema, example }: EventType): Json {
  return {
    type: 'object',
    required: ['id', 'type', 'timestamp'],
    properties: {
      id: { type: 'string', description: 'Of the event: the same in every attempt' },
      type: { type: 'string', const: name },
      timestamp: { type: 'string', format: 'date-time', description: 'When it happened' },
      data: isObject(schema) ? standingAlone(name, schema) : shapeOf(example),
    },
  };
}

/** References of a schema lead to its own parts, also where it stands inside of a document. */
function standingAlone(name: string, schema: Json): Json {
  const { $schema: _dialect, ...rest } = schema;
  return JSON.stringify(rest).includes('"$ref"') ? { $id: `urn:posthorn:event-type:${name}`, ...rest } : rest;
}

/** What an example shows of a type that has no schema: nothing is required, and more may come. */
function shapeOf(example: unknown): Json {
  if (Array.isArray(example)) return { type: 'array', ...(example.length > 0 ? { items: shapeOf(example[0]) } : {}) };
  if (isObject(example)) {
    const properties = Object.entries(example).map(([name, value]) => [name, shapeOf(value)]);
    return { type: 'object', properties: Object.fromEntries(properties) };
  }
  return example === null ? {} : { type: typeof example };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The headers that every webhook has, as parameters. */
export function headerParameters(brand: string): Json {
  const header = (name: string, description: string, required = true): Json => ({
    name,
    in: 'header',
    required,
    description,
    schema: { type: 'string' },
  });
  return {
    WebhookId: header('webhook-id', "The event's id, the same for every attempt and replay: drop repeats by it"),
    WebhookTimestamp: header('webhook-timestamp', 'Of this attempt, in Unix seconds'),
    WebhookSignature: header('webhook-signature', 'Standard Webhooks: v1,<base64>; two while a secret rotates'),
    Signature: header(`X-${brand}-Signature`, 'HMAC-SHA256 of the body in hex'),
    SignatureNext: header(`X-${brand}-Signature-Next`, 'The same with the new secret, while one rotates', false),
    Event: header(`X-${brand}-Event`, 'The event type'),
    Test: header(`X-${brand}-Test`, 'true on test deliveries, which alone have it', false),
  };
}
