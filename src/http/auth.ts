import type { Core } from '../core/core.ts';
import { PosthornError } from '../core/errors.ts';
import type { Principal } from '../core/types.ts';
import { type FaceName, type Scope, scopes } from '../core/vocabulary.ts';

const bearerPattern = /^bearer +(\S.*)$/i;

/** Who sent the request, by its `Authorization: Bearer` header (RFC 6750). Throws `unauthorized`. */
export async function authenticateRequest(core: Core, request: Request, face: FaceName): Promise<Principal> {
  const header = request.headers.get('authorization');
  if (header === null) throw new PosthornError('unauthorized', 'No API key was sent.');
  const key = bearerPattern.exec(header)?.[1];
  if (key === undefined) throw new PosthornError('unauthorized', 'The Authorization header is not "Bearer <key>".');
  return core.authenticate(key, { face, client: request.headers.get('user-agent') });
}

/** What a challenge says of the thing that was asked for. */
export interface Protected {
  realm: string;
  /** What a key needs for it. */
  scopes: readonly Scope[];
  /** Where its metadata stand (RFC 9728), for clients that look for them. */
  metadataUrl?: string;
}

/**
 * The `WWW-Authenticate` header that belongs to a refusal: RFC 6750 section 3, with `resource_metadata` of RFC 9728
 * section 5.1. A request without any key gets no `error`, as RFC 6750 asks.
 */
export function challenge(target: Protected, refused: PosthornError, keySent: boolean): string {
  const parts = [`realm=${quoted(target.realm)}`];
  if (refused.code === 'insufficient_scope') {
    // The detail names what is missing, which can be more than the route's own scope.
    const named = scopes.filter((scope) => refused.message.includes(scope));
    parts.push('error="insufficient_scope"', `scope=${quoted((named.length > 0 ? named : target.scopes).join(' '))}`);
  } else {
    if (keySent) parts.push('error="invalid_token"');
    if (target.scopes.length > 0) parts.push(`scope=${quoted(target.scopes.join(' '))}`);
  }
  if (target.metadataUrl !== undefined) parts.push(`resource_metadata=${quoted(target.metadataUrl)}`);
  return `Bearer ${parts.join(', ')}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
