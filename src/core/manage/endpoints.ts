import type { AutomationRef } from '../ports/automation-store.ts';
import { errorTable, PosthornError } from '../errors.ts';
import type { Inputs } from '../inputs.ts';
import type { EndpointChange, EndpointKind, EndpointRecord, NewEndpoint } from '../ports/endpoint-store.ts';
import { judge, subjectOf } from '../rules/condition.ts';
import type { Surroundings } from '../rules/diagnose.ts';
import { rowBefore } from '../rules/ids.ts';
import { makerOf } from '../rules/maker.ts';
import { newSecret, secretFault } from '../rules/sign.ts';
import { durationMs } from '../rules/times.ts';
import type { Page, Principal } from '../types.ts';
import { type Context, notFound } from '../use-case.ts';
import { statusFor } from './approval.ts';
import { checkPatterns } from './event-types.ts';
import { page } from './logs.ts';
import { readStatus } from './status.ts';

/** What holds for endpoints of every kind. The files of the kinds say what a kind takes and shows beyond it. */

const secretBytes = 32;
/** Of the automations that keep a config from being deleted. */
const automationsNamedMax = 10;
const overlapMsDefault = 24 * 3_600_000;
const overlapMsMax = 7 * 24 * 3_600_000;

/** Where the kind takes its patterns. */
const eventsPath: Record<EndpointKind, (index: number) => string> = {
  subscription: (index) => `/events/${index}`,
  config: (index) => `/trigger_events/${index}`,
};

/** What is told once, with an answer that made or changed an endpoint. */
export interface Told {
  secret?: string;
  warning?: string;
}

/** What every kind gives of a new endpoint. `events` may be empty where the kind allows it. */
export interface EndpointInput {
  url: string;
  events: string[];
  secret?: string | undefined;
}

/** Checks what every kind takes and fills in what every kind has. */
export async function draftEndpoint(
  context: Context,
  principal: Principal,
  kind: EndpointKind,
  input: EndpointInput,
): Promise<{ endpoint: NewEndpoint; told: Told }> {
  const { workspaceId } = principal;
  checkSecret(input.secret);
  const events = [...new Set(input.events)];
  await checkPatterns(context, workspaceId, events, eventsPath[kind]);
  const target = await checkTarget(context, input.url);
  const secret = input.secret ?? newSecret(context.random.bytes(secretBytes));
  const publicId = context.newId(kind === 'subscription' ? 'sub' : 'cfg');
  const endpoint: NewEndpoint = {
    publicId,
    workspaceId,
    kind,
    name: null,
    url: target.url,
    events,
    description: null,
    filter: null,
    includeData: true,
    sealedHeaders: null,
    sealedSecret: context.vault.seal(secret, publicId),
    status: await statusFor(context, workspaceId, target.url),
    createdByKeyId: makerOf(principal),
    now: context.clock.now(),
  };
  return { endpoint, told: { ...(input.secret === undefined ? { secret } : {}), ...warningOf(target) } };
}

export async function findEndpoint(
  context: Context,
  principal: Principal,
  kind: EndpointKind,
  publicId: string,
): Promise<EndpointRecord> {
  const record = await context.store.endpoints.get(principal.workspaceId, kind, publicId);
  if (record === null) throw notFound(kind);
  return record;
}

export async function listEndpoints<T>(
  context: Context,
  principal: Principal,
  kind: EndpointKind,
  input: Inputs['listSubscriptions'],
  show: (record: EndpointRecord, around: Surroundings) => T,
): Promise<Page<T>> {
  const around = await surroundings(context, principal);
  const rows = await context.store.endpoints.list(principal.workspaceId, {
    kind,
    status: input.status,
    before: rowBefore(input.cursor),
    limit: input.limit + 1,
  });
  return page(rows, input.limit, (row) => show(row, around));
}

/** `own`: what only this kind lets be changed, decided on the state that it is given. */
export async function changeEndpoint(
  context: Context,
  principal: Principal,
  found: EndpointRecord,
  input: { url?: string | undefined; events?: string[] | undefined; status?: 'active' | 'paused' | undefined },
  own: (record: EndpointRecord) => Omit<EndpointChange, 'url' | 'events' | 'status' | 'movedByKeyId' | 'seen' | 'now'>,
): Promise<{ changed: EndpointRecord; told: Told }> {
  const { workspaceId, kind, publicId } = found;
  if (input.events !== undefined) await checkPatterns(context, workspaceId, input.events, eventsPath[kind]);
  const target = input.url === undefined ? null : await checkTarget(context, input.url);
  // Two changes at once must not add up to an active endpoint on a host that nobody approved: what was decided on an
  // older state is decided again.
  let record = found;
  let changed: EndpointRecord | null = null;
  while (changed === null) {
    const pending = record.status === 'pending_approval';
    if (pending && input.status !== undefined) {
      throw new PosthornError(
        'pending_approval',
        'It keeps this status until someone with webhooks:approve approves it.',
      );
    }
    const moved = target !== null && new URL(target.url).host !== new URL(record.url).host;
    const waits = moved && (await statusFor(context, workspaceId, target.url)) === 'pending_approval';
    changed = await context.store.endpoints.update(workspaceId, record.id, {
      ...own(record),
      ...(target === null ? {} : { url: target.url }),
      ...(input.events === undefined ? {} : { events: [...new Set(input.events)] }),
      ...(waits ? { status: 'pending_approval' } : input.status === undefined ? {} : { status: input.status }),
      ...(moved ? { movedByKeyId: makerOf(principal) } : {}),
      seen: { version: record.version, pending },
      now: context.clock.now(),
    });
    if (changed === null) record = await findEndpoint(context, principal, kind, publicId);
  }
  context.endpointChanged(record.id);
  context.wake();
  return { changed, told: target === null ? {} : warningOf(target) };
}

/** Deleting cancels what it is owed. Its log stays until retention takes it. */
export async function deleteEndpoint(context: Context, record: EndpointRecord): Promise<{ id: string; deleted: true }> {
  const usedBy = await context.store.endpoints.delete(record.workspaceId, record.id, context.clock.now());
  if (usedBy.length > 0) throw inUse(usedBy);
  context.endpointChanged(record.id);
  return { id: record.publicId, deleted: true };
}

function inUse(automations: AutomationRef[]): PosthornError {
  const named = automations.slice(0, automationsNamedMax).map(({ publicId, name }) => `${publicId} (${name})`);
  const more = automations.length - named.length;
  const detail = `It is called by ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
  return new PosthornError('config_in_use', detail);
}

/**
 * A new secret; the old one signs too until the overlap is over. With the branded signature the receiver changes over when
 * it is, with Standard Webhooks at any time before.
 */
export async function rotateSecretOf(
  context: Context,
  principal: Principal,
  kind: EndpointKind,
  publicId: string,
  input: { secret?: string | undefined; overlap?: string | undefined },
): Promise<{ record: EndpointRecord; told: Told }> {
  checkSecret(input.secret);
  const overlapMs = input.overlap === undefined ? overlapMsDefault : durationMs(input.overlap);
  if (overlapMs === null || overlapMs > overlapMsMax) {
    const message = 'use 0s to 7d';
    throw new PosthornError('validation_failed', `overlap: ${message}.`, { errors: [{ path: '/overlap', message }] });
  }
  const { workspaceId } = principal;
  const { id } = await findEndpoint(context, principal, kind, publicId);
  const secret = input.secret ?? newSecret(context.random.bytes(secretBytes));
  const now = context.clock.now();
  const sealed = context.vault.seal(secret, publicId);
  await context.store.endpoints.rotateSecret(workspaceId, id, sealed, now + overlapMs, now);
  context.endpointChanged(id);
  const record = await findEndpoint(context, principal, kind, publicId);
  return { record, told: input.secret === undefined ? { secret } : {} };
}

export async function surroundings(context: Context, principal: Principal): Promise<Surroundings> {
  const [{ delivering }, [latestEvent = null]] = await Promise.all([
    readStatus(context, principal, {}),
    context.store.records.events(principal.workspaceId, { limit: 1 }),
  ]);
  const subject = latestEvent === null ? null : subjectOf(latestEvent);
  return {
    now: context.clock.now(),
    delivering,
    limits: context.settings,
    latestEvent,
    judgeLatest: (filter) => subject === null || judge(context.conditions.compile(filter), subject),
  };
}

async function checkTarget(context: Context, url: string): Promise<{ url: string; resolves: boolean }> {
  const verdict = await context.targets.check(url);
  if (verdict.allowed) return verdict;
  // Constant sentences: neither the URL nor what it resolves to, which would make us a scanner for strangers.
  const message = 'This URL may not be called: use a public https:// address on port 80, 443 or above 1023.';
  const { advice } = errorTable.target_not_allowed;
  throw new PosthornError('target_not_allowed', message, { errors: [{ path: '/url', message: advice }] });
}

function warningOf({ resolves }: { resolves: boolean }): Told {
  return resolves ? {} : { warning: 'The host name does not resolve now; deliveries fail until it does.' };
}

function checkSecret(secret: string | undefined): void {
  const fault = secret === undefined ? null : secretFault(secret);
  if (fault !== null) {
    throw new PosthornError('validation_failed', `secret: ${fault}.`, {
      errors: [{ path: '/secret', message: fault }],
    });
  }
}
