import type { Principal } from '../core/types.ts';
import { agentScopes } from '../core/vocabulary.ts';
import { authenticateRequest } from './auth.ts';
import { readBytes } from './body.ts';
import type { RequestContext } from './context.ts';
import { exchange } from './exchange.ts';
import type { Face } from './face.ts';
import { mcpPath, metadataPath } from './paths.ts';

/** Answers one request of the MCP streamable HTTP transport. */
export type McpFetch = (request: Request, principal: Principal) => Promise<Response>;

/** What the transport uses: messages, the stream of a session, its end. */
export const mcpMethods = ['POST', 'GET', 'DELETE'];

/** Puts host check, key check and body limit in front of MCP, which checks none of them itself. */
export function mcpHandler(face: Face, mcp: McpFetch): (c: RequestContext) => Promise<Response> {
  const subject = {
    pattern: mcpPath,
    frequent: false,
    protected: { realm: face.brand, scopes: agentScopes, metadataUrl: `${face.publicUrl}${metadataPath}` },
  };
  return exchange(face, subject, async (c) => {
    const principal = await authenticateRequest(face.core, c.req.raw, 'mcp');
    return mcp(await limitedRequest(c), principal);
  });
}

/** The same request over a body that was counted. Its signal still tells when the client hangs up. */
async function limitedRequest(c: RequestContext): Promise<Request> {
  const { method, url, headers, signal } = c.req.raw;
  if (method !== 'POST') return c.req.raw;
  return new Request(url, { method, headers, signal, body: await readBytes(c) });
}
