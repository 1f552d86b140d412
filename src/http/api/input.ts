import type { z } from 'zod';
import { type FieldError, PosthornError } from '../../core/errors.ts';
import { limits } from '../../core/inputs.ts';
import { notFound } from '../../core/use-case.ts';
import { readJson } from '../body.ts';
import type { RequestContext } from '../context.ts';
import { type Fields, fieldsOf } from './fields.ts';
import { readQuery } from './query.ts';
import type { Route } from './route.ts';

/** A sample is sent as data is, and stands one level down in the body. */
const bodyDepthMax = limits.dataDepthMax + 1;

/** Makes core's input of one request. */
export type InputReader = (c: RequestContext) => Promise<unknown>;

/**
 * How a route reads its input, worked out once. Path, query and headers win over the body, and a body that names one of
 * their fields is refused; whatever else is wrong with the body core finds out.
 */
export function inputReader(route: Route): InputReader {
  const fields = fieldsOf(route);
  const params = Object.entries(route.params).map(([name, field]) => ({ name, field, schema: schemaOf(route, field) }));
  const headers = Object.entries(route.headers);
  const names = route.method === 'PUT';
  if (route.arrayItemsMax !== undefined) return (c) => untouchedBody(c, fields);
  const takenFields = [...params.map(({ field }) => field), ...headers.map(([, field]) => field)];
  return async (c) => {
    const fromPath = params.map(({ name, field, schema }) => [field, pathParameter(c.req.param(name), schema, names)]);
    const query = readQuery(c.req.raw.url, fields.query);
    const body = c.req.raw.method === 'GET' || c.req.raw.method === 'HEAD' ? {} : asObject(await readJson(c));
    refuseTaken(body, takenFields, names ? (Object.fromEntries(fromPath) as Record<string, unknown>) : {});
    const fromHeaders = headers
      .map(([name, field]) => [field, c.req.raw.headers.get(name)])
      .filter(([, value]) => value !== null);
    // A spread keeps a key named __proto__ as the field it is, so that core can refuse it.
    return { ...body, ...query, ...Object.fromEntries([...fromHeaders, ...fromPath]) };
  };
}

/** What is published stays the very value that was sent: a copy would cost time, and some copies lose `__proto__`. */
async function untouchedBody(c: RequestContext, fields: Fields): Promise<unknown> {
  readQuery(c.req.raw.url, fields.query);
  return readJson(c);
}

function schemaOf(route: Route, field: string): z.ZodType {
  const schema = route.input.shape[field];
  if (schema === undefined) throw new TypeError(`${route.operationId} has no field ${field}`);
  return schema as z.ZodType;
}

/** An id that no row can have is an id that does not exist; a name that is put there may be wrong, and core says how. */
function pathParameter(value: string | undefined, schema: z.ZodType, names: boolean): string {
  if (value === undefined || (!names && !schema.safeParse(value).success)) throw notFound('id');
  return value;
}

function asObject(body: unknown): object {
  if (body === undefined) return {};
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw wrongBody('must be a JSON object');
  // JSON.parse reads any depth, JSON.stringify overflows the stack at some thousand levels.
  if (nestsDeeper(body, bodyDepthMax)) throw wrongBody(`must not nest deeper than ${bodyDepthMax} levels`);
  return body;
}

function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => nestsDeeper(one, levels - 1));
}

function wrongBody(message: string): PosthornError {
  const errors: FieldError[] = [{ path: '', message }];
  return new PosthornError('validation_failed', `The body ${message}.`, { errors });
}

/** A body that repeats what the path says, as a PUT of what was read does, is no contradiction. */
function refuseTaken(body: object, takenFields: string[], fromPath: Record<string, unknown>): void {
  const errors = takenFields
    .filter((field) => Object.hasOwn(body, field))
    .filter((field) => !Object.hasOwn(fromPath, field) || Reflect.get(body, field) !== fromPath[field])
    .map((field): FieldError => ({ path: `/${field}`, message: 'is not a field of this request' }));
  if (errors.length === 0) return;
  throw new PosthornError('validation_failed', `The body holds ${errors[0]?.path.slice(1)}, which it may not.`, {
    errors,
  });
}
