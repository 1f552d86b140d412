import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { errorTable } from '../../src/core/errors.ts';

type Json = Record<string, unknown>;

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Json;
}

export interface Operation {
  operationId: string;
  security: { apiKey: string[] }[];
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: { 'application/json': { schema: Json } } };
  responses: Record<string, { headers?: Json; content?: Record<string, { schema: Json }> }>;
}

/** One operation of the document, with its place in it. */
export interface Documented extends Operation {
  method: string;
  path: string;
}

export interface Answered {
  status: number;
  headers: Headers;
  text: string;
}

/** What the OpenAPI document says of requests and answers, by a validator that had no part in making it. */
export interface Judge {
  operations: Documented[];
  find(method: string, path: string): Documented;
  /** Whether the document allows this body of the operation. */
  allowsBody(operation: Documented, body: unknown): boolean;
  /** Whether the document allows this text of a parameter. */
  allowsText(parameter: Parameter, text: string): boolean;
  /** All that an answer does which the document does not say; none when it is as documented. */
  faults(operation: Documented, answered: Answered): string[];
}

export function judge(document: { paths: Record<string, Record<string, Operation>> }): Judge {
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats.default(ajv);
  ajv.addSchema(closed(structuredClone(document)) as Json, 'document');
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ ...one, method: method.toUpperCase(), path })),
  );
  const compiled = new Map<string, ValidateFunction>();
  const validate = (...steps: string[]) => {
    const pointer = steps.map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1')).map(encodeURIComponent);
    const ref = `document#/${pointer.join('/')}`;
    const known = compiled.get(ref) ?? ajv.compile({ $ref: ref });
    compiled.set(ref, known);
    return known;
  };
  const place = ({ path, method }: Documented) => ['paths', path, method.toLowerCase()];

  return {
    operations,
    find(method, path) {
      const [bare = ''] = path.split('?');
      const found = operations
        .filter((one) => one.method === method && patternOf(one.path).test(bare))
        .toSorted((a, b) => parametersIn(a.path) - parametersIn(b.path))[0];
      if (found === undefined) throw new Error(`${method} ${path} is not documented`);
      return found;
    },
    allowsBody: (operation, body) =>
      operation.requestBody !== undefined &&
      validate(...place(operation), 'requestBody', 'content', 'application/json', 'schema')(body),
    allowsText: ({ schema }, text) => ajv.validate(schema, valueOf(schema['type'], text)),
    faults(operation, { status, headers, text }) {
      const documented = operation.responses[String(status)];
      if (documented === undefined) return [`${status} is not documented: ${text.slice(0, 200)}`];
      const [type] = Object.keys(documented.content ?? {});
      const sent = headers.get('content-type') ?? undefined;
      if (sent !== type) return [`${status} is ${sent}, not ${type}`];
      const missing = Object.keys(documented.headers ?? {}).filter((name) => !headers.has(name));
      const faults = missing.map((name) => `${status} has no header ${name}`);
      if (type === undefined) return text === '' ? faults : [...faults, `${status} has a body`];
      const check = validate(...place(operation), 'responses', String(status), 'content', type, 'schema');
      const body = JSON.parse(text) as Json;
      if (!check(body)) faults.push(`${status} ${JSON.stringify(check.errors)}: ${text.slice(0, 200)}`);
      return type === 'application/problem+json' ? [...faults, ...problemFaults(body, status)] : faults;
    },
  };
}

/** A problem is its line in the table of errors. */
function problemFaults(body: Json, status: number): string[] {
  const code = String(body['code']);
  const line = (errorTable as Record<string, { status: number; title: string }>)[code];
  const wanted = { type: `urn:posthorn:problem:${code}`, title: line?.title, status: line?.status };
  const told = { type: body['type'], title: body['title'], status: body['status'] };
  const same = JSON.stringify(told) === JSON.stringify(wanted) && line?.status === status;
  return same ? [] : [`the problem ${JSON.stringify(told)} is not ${JSON.stringify(wanted)} under ${status}`];
}

/** Parameters are text; the schema says what it stands for. */
function valueOf(type: unknown, text: string): unknown {
  if (type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  return text;
}

/** The document leaves room for fields to come; a test wants to hear of each that is there and not in it. */
function closed(node: unknown, inAllOf = false): unknown {
  if (Array.isArray(node)) return node.map((one) => closed(one, inAllOf));
  if (typeof node !== 'object' || node === null) return node;
  const fields = Object.entries(node).map(([key, value]) => [key, closed(value, key === 'allOf')]);
  const isOpen = 'properties' in node && 'type' in node && !('additionalProperties' in node) && !inAllOf;
  return Object.fromEntries(isOpen ? [...fields, ['additionalProperties', false]] : fields) as Json;
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

function parametersIn(path: string): number {
  return path.split('{').length;
}
