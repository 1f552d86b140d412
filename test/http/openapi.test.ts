import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { errorTable } from '../../src/core/errors.ts';
import { routes } from '../../src/http/api/routes.ts';
import { serviceRoutes } from '../../src/http/api/service.ts';
import { fakeApp } from './fake-core.ts';

interface Operation {
  operationId: string;
  security: { apiKey: string[] }[];
  parameters?: { name: string; in: string; required: boolean; schema: Record<string, unknown> }[];
  requestBody?: { required: boolean; content: Record<string, { schema: Record<string, unknown> }> };
  responses: Record<string, { content?: Record<string, { schema: Record<string, unknown> }> }>;
}
interface Document {
  openapi: string;
  info: { version: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, unknown>>;
}

async function readDocument(): Promise<{ document: Document; text: string }> {
  const { ask } = fakeApp();
  const response = await ask('GET', '/v1/openapi.json', { key: null });
  const text = await response.text();
  return { document: JSON.parse(text) as Document, text };
}

const operationOf = (document: Document, method: string, path: string) => {
  const operation = document.paths[path]?.[method.toLowerCase()];
  if (operation === undefined) throw new Error(`${method} ${path} is not documented`);
  return operation;
};

describe('the OpenAPI document', () => {
  it('is 3.1 of this version at this address', async () => {
    const { document } = await readDocument();
    expect(document).toMatchObject({
      openapi: '3.1.1',
      info: { version: '1.2.3' },
      servers: [{ url: 'https://hooks.example.com' }],
    });
  });

  it('is valid, says a public validator, which would notice a fault', async () => {
    const { text } = await readDocument();
    const validate = async (json: string) => {
      const validator = new Validator();
      const { valid, errors } = await validator.validate(JSON.parse(json) as Record<string, unknown>);
      return { valid, errors, version: validator.version };
    };
    expect(await validate(text)).toEqual({ valid: true, errors: undefined, version: '3.1' });
    expect(await validate(text.replaceAll('"in":"path"', '"in":"way"'))).toMatchObject({ valid: false });
    expect(await validate(text.replaceAll('"description":"The subscription"', '"descriptions":""'))).toMatchObject({
      valid: false,
    });
  });

  it('holds every route and nothing else, each under an id of its own', async () => {
    const { document } = await readDocument();
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = [...routes, ...serviceRoutes].map(({ method, path }) => `${method} ${path}`);
    expect(documented.toSorted()).toEqual(served.toSorted());
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((one) => one.operationId),
    );
    expect(new Set(ids).size).toBe(served.length);
  });

  it('tells what /metrics answers, which is no JSON', async () => {
    const { document } = await readDocument();
    const { responses, security } = operationOf(document, 'GET', '/metrics');
    expect(security).toEqual([]);
    expect(Object.keys(responses)).toEqual(['200', '401', '403', '404', '500', '503']);
    expect(responses['200']?.content).toEqual({ 'text/plain': { schema: { type: 'string' } } });
  });

  it('has no reference that leads nowhere, and nothing of the generator left in it', async () => {
    const { document, text } = await readDocument();
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(references.length).toBeGreaterThan(100);
    const broken = references.filter((reference) => {
      const [, , kind = '', name = ''] = reference.split('/');
      return document.components[kind]?.[name] === undefined;
    });
    expect(broken).toEqual([]);
    expect(text).not.toMatch(/__schema|\$defs|\$schema|9007199254740991/);
  });

  it.each(routes.map((route) => ({ name: `${route.method} ${route.path}`, route })))(
    '$name tells scope, answers and every code',
    async ({ route }) => {
      const { document } = await readDocument();
      const operation = operationOf(document, route.method, route.path);
      expect(operation.security).toEqual([{ apiKey: [route.scope] }]);
      const statuses = Object.keys(operation.responses);
      const expected = [
        ...route.answers.map(({ status }) => status),
        ...route.errors.map((code) => errorTable[code].status),
        401,
        403,
        422,
        500,
        503,
        ...(route.method === 'GET' ? [] : [400, 413, 415]),
        ...(route.path.includes('{') ? [404] : []),
      ].map(String);
      expect(statuses.toSorted()).toEqual([...new Set(expected)].toSorted());
      const documentedCodes = JSON.stringify(operation.responses);
      expect(route.errors.filter((code) => !documentedCodes.includes(`"${code}"`))).toEqual([]);
    },
  );

  it('documents parameters as the server reads them', async () => {
    const { document } = await readDocument();
    const { parameters = [] } = operationOf(document, 'GET', '/v1/webhooks/subscriptions/{id}/logs');
    expect(parameters.map((one) => `${one.in} ${one.name} ${one.required}`)).toEqual([
      'path id true',
      'query status false',
      'query event_type false',
      'query since false',
      'query until false',
      'query limit false',
      'query cursor false',
      'query include false',
    ]);
    expect(parameters.find(({ name }) => name === 'limit')?.schema).toEqual({
      type: 'integer',
      minimum: 1,
      maximum: 200,
      default: 50,
    });
  });

  it('documents bodies as the server checks them', async () => {
    const { document } = await readDocument();
    const subscribe = operationOf(document, 'POST', '/v1/webhooks/subscribe');
    expect(subscribe.requestBody?.content['application/json']?.schema).toMatchObject({
      required: ['url', 'events'],
      additionalProperties: false,
      properties: { events: { type: 'array', minItems: 1, maxItems: 100 } },
    });
    expect(JSON.stringify(subscribe.requestBody)).not.toContain('idempotency_key');
    expect(subscribe.parameters).toMatchObject([{ in: 'header', name: 'Idempotency-Key', required: false }]);
    const test = operationOf(document, 'POST', '/v1/webhooks/subscriptions/{id}/test');
    expect(test.requestBody?.required).toBe(false);
    const publish = operationOf(document, 'POST', '/v1/events').requestBody?.content['application/json']?.schema;
    expect(publish?.['oneOf']).toMatchObject([{ type: 'object' }, { type: 'array', minItems: 1, maxItems: 1000 }]);
  });

  it.each(routes.filter(({ example }) => example !== undefined).map((route) => ({ name: route.operationId, route })))(
    'the example of $name passes the check of its input',
    ({ route }) => {
      const ids = Object.fromEntries(Object.values(route.params).map((field) => [field, 'id_1']));
      expect(route.input.safeParse({ ...(route.example as object), ...ids }).error).toBeUndefined();
    },
  );

  it('describes what is shown in the words of core', async () => {
    const { document } = await readDocument();
    expect(document.components['schemas']).toMatchObject({
      Attempt: { properties: { untrusted_response: { description: expect.stringContaining('stranger') } } },
      EventType: { properties: { schema: {}, example: {} } },
    });
  });

  it('leaves room for further fields in answers', async () => {
    const { document } = await readDocument();
    expect(JSON.stringify(document.components['schemas'])).not.toContain('"additionalProperties":false');
    expect(document.components['schemas']?.['EventWithDeliveries']).toMatchObject({
      properties: { deliveries: { items: { $ref: '#/components/schemas/Delivery' } }, data: {} },
    });
  });
});
