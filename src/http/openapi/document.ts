import { routes } from '../api/routes.ts';
import { serviceRoutes } from '../api/service.ts';
import { operation, serviceOperation } from './operation.ts';
import { Components, type Json } from './schemas.ts';

const description = [
  'Posthorn delivers webhooks: what is published is signed, sent, retried and logged.',
  'Lists are newest first; pass `next_cursor` as `cursor` to go on.',
  'Refusals are problems (RFC 9457) whose `code` is stable.',
  'Unknown fields and parameters are refused.',
].join(' ');

const tags = [
  { name: 'Subscriptions', description: 'URLs that receive events' },
  { name: 'Configs', description: 'Named webhooks that people set up and automations use' },
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

/** The OpenAPI 3.1 document of every route, made from the schemas that check what comes in. */
export function openApiDocument(publicUrl: string, version: string): Json {
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
    components: {
      schemas: components.schemas,
      headers,
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key. Operations name the scope they need.' },
      },
    },
  };
}
