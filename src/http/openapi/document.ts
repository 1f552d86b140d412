import type { EventType } from '../../core/types.ts';
import { routes } from '../api/routes.ts';
import { serviceRoutes } from '../api/service.ts';
import { operation, serviceOperation } from './operation.ts';
import { Components, type Json } from './schemas.ts';
import { headerParameters, webhooksOf } from './webhooks.ts';

const description = [
  'Posthorn delivers webhooks: what is published is signed, sent, retried and logged.',
  'Lists are newest first; pass `next_cursor` as `cursor` to go on. A page may be short, and a filtered one empty, before the list ends.',
  'Refusals are problems (RFC 9457) whose `code` is stable.',
  'Unknown fields and parameters are refused.',
].join(' ');

const tags = [
  { name: 'Subscriptions', description: 'URLs that receive events' },
  { name: 'Configs', description: 'Named webhooks that people set up and automations use' },
  { name: 'Automations', description: 'When this event, call these configs' },
  { name: 'Events', description: 'What happened' },
  { name: 'Event types', description: 'The catalogue of what can happen' },
  { name: 'Conditions', description: 'The language of filters and conditions' },
  { name: 'Deliveries', description: 'One event owed to one endpoint' },
  { name: 'Keys', description: 'API keys and their scopes' },
  { name: 'Audit', description: 'Who changed what' },
  { name: 'Service', description: 'The server itself' },
];

const headers = {
  'X-Request-Id': { description: 'What to look for in the server log', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': { description: 'A Bearer challenge (RFC 6750)', schema: { type: 'string' } },
};

/** Who serves the document, and to whom: `types` is the catalogue that the reader may see. */
export interface Served {
  publicUrl: string;
  version: string;
  brand: string;
  types: readonly EventType[];
}

/** The OpenAPI 3.1 document of every route and webhook, made from the schemas that check what comes in. */
export function openApiDocument({ publicUrl, version, brand, types }: Served): Json {
  const components = new Components();
  const paths: Record<string, Json> = {};
  const add = (path: string, method: string, what: Json) => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: what };
  };
  for (const route of routes) add(route.path, route.method, operation(route, components));
  for (const route of serviceRoutes) add(route.path, route.method, serviceOperation(route, components));
  return {
    openapi: '3.1.1',
    info: { title: 'Posthorn', version, description, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: publicUrl }],
    security: [{ apiKey: [] }],
    tags,
    paths,
    webhooks: webhooksOf(types),
    components: {
      schemas: components.schemas,
      headers,
      parameters: headerParameters(brand),
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key. Operations name the scope they need.' },
      },
    },
  };
}
