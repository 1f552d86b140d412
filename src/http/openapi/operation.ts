import { type ErrorCode, errorTable } from '../../core/errors.ts';
import { type Field, fieldsOf } from '../api/fields.ts';
import type { DocumentedAnswer, Route } from '../api/route.ts';
import type { ServiceRoute } from '../api/service.ts';
import { type Components, type Json, plainInput } from './schemas.ts';

/** Codes that every route may answer, and those that come with a body or a path parameter. */
const everywhere: ErrorCode[] = ['host_not_allowed', 'internal'];
const withKey: ErrorCode[] = ['unauthorized', 'insufficient_scope', 'validation_failed', 'store_unavailable'];
const withBody: ErrorCode[] = ['invalid_json', 'payload_too_large', 'unsupported_media_type'];
const withParams: ErrorCode[] = ['not_found'];

const headerOf: Partial<Record<number, string>> = { 401: 'WWW-Authenticate', 429: 'Retry-After', 503: 'Retry-After' };

/** What the document says of a route of the table. */
export function operation(route: Route, components: Components): Json {
  const takesBody = route.method !== 'GET';
  const codes = [
    ...everywhere,
    ...withKey,
    ...(takesBody ? withBody : []),
    ...(Object.keys(route.params).length > 0 ? withParams : []),
    ...route.errors,
  ];
  const { query, body } = fieldsOf(route);
  const parameters = [
    ...Object.entries(route.params).map(([name, field]) => parameter('path', name, fieldOf(route, field))),
    ...[...query].map(([name, field]) => parameter('query', name, field)),
    ...Object.entries(route.headers).map(([name, field]) =>
      parameter('header', titleCase(name), fieldOf(route, field)),
    ),
  ];
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    description: `${route.description ? `${route.description} ` : ''}Needs the scope \`${route.scope}\`.`,
    security: [{ apiKey: [route.scope] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body.size > 0 ? { requestBody: requestBody(route, body) } : {}),
    responses: { ...answers(route.answers, components), ...problems(codes, components) },
  };
}

/** What the document says of a route that needs no key. */
export function serviceOperation(route: ServiceRoute, components: Components): Json {
  return {
    operationId: route.operationId,
    tags: ['Service'],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: [],
    responses: {
      ...problems([...everywhere, ...(route.errors ?? [])], components),
      ...answers(route.answers, components),
    },
  };
}

function parameter(where: 'path' | 'query' | 'header', name: string, field: Field): Json {
  const { description, ...schema } = plainInput(field.schema);
  return {
    name,
    in: where,
    required: where === 'path' || field.required,
    ...(description === undefined ? {} : { description }),
    schema,
  };
}

function fieldOf(route: Route, name: string): Field {
  const { query, body } = fieldsOf({ ...route, params: {}, headers: {} });
  const field = query.get(name) ?? body.get(name);
  if (field === undefined) throw new TypeError(`${route.operationId} has no field ${name}`);
  return field;
}

function requestBody(route: Route, body: Map<string, Field>): Json {
  const required = [...body].filter(([, field]) => field.required).map(([name]) => name);
  const one: Json = {
    type: 'object',
    properties: Object.fromEntries([...body].map(([name, field]) => [name, plainInput(field.schema)])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
  const many = { type: 'array', items: one, minItems: 1, maxItems: route.arrayItemsMax };
  const schema = route.arrayItemsMax === undefined ? one : { oneOf: [one, many] };
  const example = route.example === undefined ? {} : { example: route.example };
  return { required: required.length > 0, content: { 'application/json': { schema, ...example } } };
}

function answers(documented: readonly DocumentedAnswer[], components: Components): Json {
  return Object.fromEntries(
    documented.map(({ status, description, schema, contentType = 'application/json' }) => [
      String(status),
      {
        description,
        headers: { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } },
        ...(schema === null ? {} : { content: { [contentType]: { schema: components.output(schema) } } }),
      },
    ]),
  );
}

/** One response for each status, which names the codes that it may carry. */
function problems(codes: readonly ErrorCode[], components: Components): Json {
  const byStatus = Map.groupBy(new Set(codes), (code) => errorTable[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [String(status), problem(status, group, components)]),
  );
}

function problem(status: number, codes: ErrorCode[], components: Components): Json {
  const names = ['X-Request-Id', headerOf[status]].filter((name) => name !== undefined);
  return {
    description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}. ${errorTable[code].advice}`).join(' '),
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content: {
      'application/problem+json': {
        schema: { allOf: [components.problem(), { type: 'object', properties: { code: { enum: codes } } }] },
      },
    },
  };
}

function titleCase(header: string): string {
  return header.replaceAll(/(^|-)([a-z])/g, (_, dash: string, letter: string) => `${dash}${letter.toUpperCase()}`);
}
