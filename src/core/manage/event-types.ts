import { builtInCatalogue, builtInNames } from '../catalogue.ts';
import { type FieldError, PosthornError } from '../errors.ts';
import type { Inputs } from '../inputs.ts';
import type { EventTypeRecord } from '../ports/record-store.ts';
import { cursorAfter, rowBefore } from '../rules/ids.ts';
import { unknownName } from '../rules/match.ts';
import type { EventType, Page, Principal } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';

/** The catalogue of the workspace: the built-in types, as it changed them, and its own, by name. */
export async function catalogue(context: Context, workspaceId: number): Promise<EventType[]> {
  const own = await context.store.records.eventTypes(workspaceId);
  const all = new Map(builtInCatalogue().map((type) => [type.name, type]));
  for (const record of own) all.set(record.name, showEventType(record, all.has(record.name)));
  return [...all.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export async function listEventTypes(
  context: Context,
  principal: Principal,
  input: Inputs['listEventTypes'],
): Promise<Page<EventType>> {
  const all = await catalogue(context, principal.workspaceId);
  const start = rowBefore(input.cursor) ?? 0;
  const end = start + input.limit;
  return { data: all.slice(start, end), next_cursor: end < all.length ? cursorAfter(end) : null };
}

/** Throws `unknown_event_type` unless every pattern is a name, a family with members, or `*`. */
export async function checkPatterns(
  context: Context,
  workspaceId: number,
  patterns: string[],
  pathOf = (index: number) => `/events/${index}`,
): Promise<void> {
  const names = (await catalogue(context, workspaceId)).map(({ name }) => name);
  const families = new Set(names.flatMap(familiesOf));
  const errors = patterns.flatMap((pattern, index) => {
    const known = pattern === '*' || names.includes(pattern) || families.has(pattern);
    return known ? [] : [{ path: pathOf(index), message: unknownName(pattern, [...names, ...families]) }];
  });
  const [first] = errors;
  if (first !== undefined) throw new PosthornError('unknown_event_type', first.message, { errors });
}

/** `contact.created` belongs to `contact.*`. */
function familiesOf(name: string): string[] {
  const words = name.split('.').slice(0, -1);
  return words.map((_, index) => `${words.slice(0, index + 1).join('.')}.*`);
}

function showEventType(record: EventTypeRecord, builtIn: boolean): EventType {
  return {
    name: record.name,
    description: record.description,
    schema: record.schema === null ? null : (JSON.parse(record.schema) as EventType['schema']),
    example: JSON.parse(record.example) as EventType['example'],
    validation: record.validation,
    built_in: builtIn,
  };
}

/** Adds an event type to the workspace's catalogue, or changes it; built-in ones too. */
export async function putEventType(
  context: Context,
  principal: Principal,
  input: Inputs['putEventType'],
): Promise<EventType> {
  const record: EventTypeRecord = {
    name: input.name,
    description: input.description,
    schema: input.schema === undefined || input.schema === null ? null : JSON.stringify(input.schema),
    example: JSON.stringify(input.example),
    validation: input.validation ?? 'off',
  };
  await checkSchema(context, record);
  await context.store.records.putEventType(principal.workspaceId, record, context.clock.now());
  return showEventType(record, builtInNames.includes(input.name));
}

/** A schema has to be one, and the example has to fit it. */
async function checkSchema(context: Context, { schema, example, validation }: EventTypeRecord): Promise<void> {
  if (schema === null) {
    if (validation !== 'off')
      throw notFitting({ path: '/validation', message: 'needs a schema to hold events against' });
    return;
  }
  const compiled = await context.schemas.compile(schema);
  if ('fault' in compiled) throw notFitting({ ...compiled.fault, path: `/schema${compiled.fault.path}` });
  const fault = compiled.check(JSON.parse(example));
  if (fault !== null) throw notFitting({ ...fault, path: `/example${fault.path}` });
}

function notFitting(error: FieldError): PosthornError {
  return new PosthornError('validation_failed', `${error.path}: ${error.message}.`, { errors: [error] });
}

/** Takes the workspace's own type away; a built-in one that it changed is as it was again. */
export async function deleteEventType(
  context: Context,
  principal: Principal,
  input: Inputs['eventTypeName'],
): Promise<{ name: string; deleted: true }> {
  const own = await context.store.records.eventTypes(principal.workspaceId);
  const isOwn = own.some(({ name }) => name === input.name);
  // Nothing is written where there is nothing to delete: each write makes every publisher read its endpoints anew.
  const deleted = isOwn && (await context.store.records.deleteEventType(principal.workspaceId, input.name));
  if (!deleted && builtInNames.includes(input.name)) {
    throw new PosthornError('built_in', `${input.name} is built in and unchanged, so there is nothing to delete.`);
  }
  if (!deleted) throw notFound('event type');
  return { name: input.name, deleted: true };
}
