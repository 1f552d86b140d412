import { createHash } from 'node:crypto';
import { PosthornError } from '../errors.ts';
import { limits } from '../inputs.ts';
import type { EndpointRecord, NewEndpoint } from '../ports/endpoint-store.ts';
import type { Principal } from '../types.ts';
import type { Context } from '../use-case.ts';

const idempotencyMs = 24 * 3_600_000;

/** Stores a new endpoint. Under an idempotency key: the answer of the first call again, its secret included. */
export async function insertEndpoint<T extends object>(
  context: Context,
  principal: Principal,
  endpoint: NewEndpoint,
  input: { idempotency_key?: string | undefined },
  answer: (record: EndpointRecord) => T,
): Promise<T> {
  const { endpoints } = context.store;
  const { idempotency_key: key, ...rest } = input;
  if (key === undefined) {
    const record = await endpoints.insert(endpoint, limits.endpointsPerWorkspaceMax);
    if (record === null) throw limitReached();
    return answer(record);
  }
  const owner = `${principal.workspaceId}/${principal.kind}/${principal.keyId ?? ''}/${key}`;
  const result = await endpoints.insertOnce(endpoint, limits.endpointsPerWorkspaceMax, {
    principal: `${principal.kind}/${principal.keyId ?? ''}`,
    key,
    requestHash: createHash('sha256').update(JSON.stringify(rest)).digest(),
    seal: (record) => context.vault.seal(JSON.stringify(answer(record)), owner),
    now: context.clock.now(),
    validMs: idempotencyMs,
  });
  switch (result.outcome) {
    case 'created':
      return answer(result.endpoint);
    case 'repeated':
      return JSON.parse(context.vault.open(result.answer, owner)) as T;
    case 'limit':
      throw limitReached();
    case 'conflict':
      throw new PosthornError('idempotency_conflict', 'This idempotency key was used for a different request.');
  }
}

function limitReached(): PosthornError {
  return new PosthornError(
    'limit_reached',
    `A workspace holds at most ${limits.endpointsPerWorkspaceMax} endpoints; delete some first.`,
  );
}
