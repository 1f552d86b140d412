import { type AuthInfo, createMcpHandler } from '@modelcontextprotocol/server';
import type { Core } from '../core/core.ts';
import { limits } from '../core/inputs.ts';
import type { Principal } from '../core/types.ts';
import { makeServer, type McpOptions } from './server.ts';
import type { Session } from './session.ts';

export interface McpHandlerOptions extends McpOptions {
  core: Core;
  /** Where the protected resource metadata (RFC 9728) lies, for challenges; asked when the address is known. */
  resourceMetadataUrl?: () => string;
}

export interface McpHandler {
  /** Answers one request of a principal that is authenticated already. */
  fetch(request: Request, principal: Principal): Promise<Response>;
  /** Ends open streams and exchanges. */
  close(): Promise<void>;
}

/**
 * MCP over streamable HTTP, stateless: every request gets its own server, so that any process can answer it. Speaks
 * 2026-07-28 and the revisions from 2024-11-05 on that begin with `initialize`.
 *
 * It checks neither key nor Host nor Origin: whoever mounts it does, before anything reaches `fetch`.
 */
export function makeMcpHandler(options: McpHandlerOptions): McpHandler {
  const { core, log } = options;
  const principals = new WeakMap<AuthInfo, Principal>();
  const handler = createMcpHandler(
    ({ authInfo }) => {
      const principal = authInfo && principals.get(authInfo);
      if (principal === undefined) throw new Error('an MCP request came without its principal');
      return makeServer(options, sessionOf(core, principal));
    },
    {
      maxRequestBodySize: limits.requestBytesMax,
      onerror: (error) => log.debug({ err: error }, 'an MCP request was refused'),
    },
  );
  return {
    fetch(request, principal) {
      // The key itself stays outside: nothing behind this line needs it.
      const authInfo: AuthInfo = {
        token: '',
        clientId: principal.name,
        scopes: [...principal.scopes],
        ...(options.resourceMetadataUrl && { resourceMetadataUrl: options.resourceMetadataUrl() }),
      };
      principals.set(authInfo, principal);
      return handler.fetch(request, { authInfo });
    },
    close: () => handler.close(),
  };
}

function sessionOf(core: Core, principal: Principal): Session {
  return { open: async () => ({ core, principal }), scopes: async () => principal.scopes };
}
