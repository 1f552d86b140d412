import type { ScopeChallengeHandler } from '@modelcontextprotocol/server';
import type { Core } from '../core/core.ts';
import type { Principal } from '../core/types.ts';
import type { Scope } from '../core/vocabulary.ts';

/** Who asks, and what answers. Nothing is opened before somebody calls one of these. */
export interface Session {
  open(): Promise<{ core: Core; principal: Principal }>;
  /** What the principal may do, told without opening anything where that is possible. */
  scopes(): Promise<ReadonlySet<Scope>>;
}

/**
 * Over HTTP a request without the scope it needs gets 403 and a challenge that names it (RFC 6750, section 3.1). Over
 * stdio there is no such answer, and core's own check refuses.
 */
export function challenge(scope: Scope): ScopeChallengeHandler {
  return ({ authInfo }) =>
    authInfo === undefined || authInfo.scopes.includes(scope)
      ? undefined
      : { scopes: [scope], errorDescription: `This needs the scope ${scope}.` };
}
