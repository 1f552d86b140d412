import { PosthornError } from '../errors.ts';
import type { Inputs } from '../inputs.ts';
import type { KeyRecord, KeyStore } from '../ports/key-store.ts';
import { formatKey, hashesTo, hashKey, keyPrefix, keyRandomBytes } from '../rules/api-key.ts';
import { rowBefore } from '../rules/ids.ts';
import { makerOf } from '../rules/maker.ts';
import { showKey } from '../rules/show.ts';
import { durationMs } from '../rules/times.ts';
import type { ApiKey, CreatedApiKey, Page, Principal, Via } from '../types.ts';
import { agentScopes, type Scope, scopes } from '../vocabulary.ts';
import { as, type Context, notFound } from '../use-case.ts';
import { page } from './logs.ts';

/** `last_used_at` is written no more often than this. */
const touchMs = 60_000;
/** A hundred years: a time beyond the calendar's end could be stored and never shown again. */
const lifeMsMax = 36_500 * 86_400_000;
const defaultWorkspace = 'default';
/** Whoever sits at the machine. */
const anybody = { kind: 'local', keyId: null, scopes: new Set(scopes) } as const;
const keyShape = /^[\x21-\x7e]{8,512}$/;

/** The principal of a key. Throws `unauthorized` for one that is unknown, revoked or expired, with the same words. */
export async function authenticate(context: Context, key: string, via: Via): Promise<Principal> {
  const { adminKey } = context.settings;
  const hash = hashKey(key);
  const isAdmin = adminKey !== null && hashesTo(hash, adminKey);
  if (!isAdmin && !keyShape.test(key)) throw unauthorized();
  return principalOfHash(context, hash, via);
}

/** The same of a key's hash, which is all that a session keeps of a key. */
export async function principalOfHash(context: Context, hash: Buffer, via: Via): Promise<Principal> {
  const { adminKey } = context.settings;
  if (adminKey !== null && hashesTo(hash, adminKey)) {
    return inDefault(context, { ...anybody, kind: 'admin', name: 'admin', via });
  }
  const record = await context.store.keys.find(hash);
  const now = context.clock.now();
  if (record === null || !isValid(record, now)) throw unauthorized();
  if (record.lastUsedAt === null || now - record.lastUsedAt >= touchMs) await touch(context, record, now);
  return principalOf(record, via);
}

function unauthorized(): PosthornError {
  return new PosthornError('unauthorized', 'The API key is missing, unknown, revoked or expired.');
}

export async function localPrincipal(context: Context, via: Via): Promise<Principal> {
  return inDefault(context, { ...anybody, name: 'local', scopes: new Set(agentScopes), via });
}

export async function bootstrap(context: Context): Promise<{ key: string | null }> {
  const { store, settings } = context;
  const nobody = { ...anybody, name: 'first start', via: { face: 'cli', client: null } } as const;
  const starter = await inDefault(context, nobody);
  if (settings.adminKey !== null || (await store.keys.count()) > 0) return { key: null };
  const { key } = await insertKey(as(context, 'key.create', starter), starter, {
    name: 'admin',
    scopes,
    expiresAt: null,
  });
  context.log.info({}, 'made the first key');
  return { key };
}

export async function createKey(
  context: Context,
  principal: Principal,
  input: Inputs['createKey'],
): Promise<CreatedApiKey> {
  const wanted = [...new Set(input.scopes)];
  const missing = wanted.filter((scope) => !principal.scopes.has(scope));
  if (missing.length > 0) {
    throw new PosthornError(
      'insufficient_scope',
      `A key grants only scopes that it holds; this one lacks ${missing.join(', ')}.`,
    );
  }
  const lifeMs = input.expires_in === undefined ? null : durationMs(input.expires_in);
  if (input.expires_in !== undefined && (lifeMs === null || lifeMs === 0 || lifeMs > lifeMsMax)) {
    const message = 'use a number with ms, s, m, h or d, above zero and at most 36500d, such as 90d';
    throw new PosthornError('validation_failed', `expires_in: ${message}.`, {
      errors: [{ path: '/expires_in', message }],
    });
  }
  const { record, key } = await insertKey(context, principal, {
    name: input.name,
    scopes: wanted,
    expiresAt: lifeMs === null ? null : context.clock.now() + lifeMs,
  });
  return { ...showKey(record), key };
}

export async function listKeys(
  context: Context,
  principal: Principal,
  input: Inputs['listKeys'],
): Promise<Page<ApiKey>> {
  const rows = await context.store.keys.list(principal.workspaceId, rowBefore(input.cursor), input.limit + 1);
  return page(rows, input.limit, showKey);
}

/** From the next request on, the key opens nothing. */
export async function revokeKey(context: Context, principal: Principal, input: Inputs['keyId']): Promise<ApiKey> {
  const record = await context.store.keys.revoke(principal.workspaceId, input.key_id, context.clock.now());
  if (record === null) throw notFound('key');
  return showKey(record);
}

async function insertKey(
  context: Context,
  by: Principal,
  one: { name: string; scopes: readonly Scope[]; expiresAt: number | null },
): Promise<{ record: KeyRecord; key: string }> {
  const key = formatKey(keyPrefix(context.settings.brand), context.random.bytes(keyRandomBytes));
  const record = await context.store.keys.insert({
    publicId: context.newId('key'),
    workspaceId: by.workspaceId,
    name: one.name,
    scopes: [...one.scopes],
    hash: hashKey(key),
    last4: key.slice(-4),
    createdByKeyId: makerOf(by),
    expiresAt: one.expiresAt,
    now: context.clock.now(),
  });
  return { record, key };
}

/** Asked by every request with the admin key, and never another one for a database. */
const defaultWorkspaceIds = new WeakMap<KeyStore, number>();

/** The principal in the default workspace, which its first one makes. */
async function inDefault(context: Context, who: Omit<Principal, 'workspaceId'>): Promise<Principal> {
  const { store, newId, clock } = context;
  const seen = defaultWorkspaceIds.get(store.keys);
  if (seen !== undefined) return { ...who, workspaceId: seen };
  const known = (await store.keys.workspaces()).find(({ name }) => name === defaultWorkspace);
  const { keys } = as(context, 'workspace.create', who).store;
  const { id } = known ?? (await keys.ensureWorkspace(defaultWorkspace, newId('wsp'), clock.now()));
  defaultWorkspaceIds.set(store.keys, id);
  return { ...who, workspaceId: id };
}

/** When a key was used last is worth no failed request. */
async function touch(context: Context, record: KeyRecord, now: number): Promise<void> {
  try {
    await context.store.keys.touch(record.id, now);
  } catch (error) {
    context.log.warn({ error: String(error) }, 'the last use of a key could not be recorded');
  }
}

function isValid(record: KeyRecord, now: number): boolean {
  return record.revokedAt === null && (record.expiresAt === null || record.expiresAt > now);
}

function principalOf(record: KeyRecord, via: Via): Principal {
  const { workspaceId, id, name } = record;
  return { workspaceId, kind: 'key', keyId: id, name, scopes: new Set(record.scopes), via };
}
