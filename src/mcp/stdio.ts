import type { Readable, Writable } from 'node:stream';
import { serveStdio as serveConnection } from '@modelcontextprotocol/server/stdio';
import type { Core } from '../core/core.ts';
import type { Principal } from '../core/types.ts';
import type { Scope } from '../core/vocabulary.ts';
import { makeServer, type McpOptions } from './server.ts';
import type { Session } from './session.ts';
import { StdioTransport } from './stdio-transport.ts';

export interface StdioOptions extends McpOptions {
  /** Opens Posthorn, if it is not open. Called for each request that needs it, since it may be another one by then. */
  core: () => Promise<Core>;
  /** Who is asking; called for each request, so that a revoked key ends at once. */
  principal: (core: Core) => Promise<Principal>;
  /** What a local principal may do. With it tools are listed without opening anything; without it core is asked. */
  knownScopes?: ReadonlySet<Scope>;
  stdin?: Readable;
  stdout?: Writable;
  signal?: AbortSignal;
  /**
   * Loads what `core` is going to need, and opens nothing. Called once, when the client has its first answer and its first
   * questions after that: the first call of a tool then waits for the database alone.
   */
  preload?: () => Promise<void>;
}

/** Clients ask for their lists right after the first answer, and loading would keep them waiting. */
const preloadAfterMs = 250;

/**
 * Serves one MCP client over stdio until it is gone: its end of stdin was closed, stdout broke, or `signal` aborted.
 * Listens before anything else happens; starting, listing and pinging open no database, since some clients start a
 * process only to kill it.
 */
export async function serveStdio(options: StdioOptions): Promise<void> {
  const transport = new StdioTransport(options.stdin ?? process.stdin, options.stdout ?? process.stdout);
  const session = sessionOf(options);
  const connection = serveConnection(() => makeServer(options, session), {
    transport,
    onerror: (error) => options.log.debug({ err: error }, 'the MCP connection reported an error'),
  });
  const stop = () => void connection.close();
  options.signal?.addEventListener('abort', stop, { once: true });
  if (options.signal?.aborted) stop();
  const cancelPreload = preloadLater(options, transport);
  await transport.closed;
  cancelPreload();
  options.signal?.removeEventListener('abort', stop);
}

/** Answers how to call it off. What fails to load now fails again when it is needed, where somebody is told. */
function preloadLater({ preload, log }: StdioOptions, { answered }: StdioTransport): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isOff = preload === undefined;
  const run = () => {
    preload?.().catch((error: unknown) => log.debug({ err: error }, 'preloading failed'));
  };
  void answered.then(() => {
    if (!isOff) timer = setTimeout(run, preloadAfterMs).unref();
  });
  return () => {
    isOff = true;
    clearTimeout(timer);
  };
}

function sessionOf(options: StdioOptions): Session {
  const open = async () => {
    const core = await options.core();
    return { core, principal: await options.principal(core) };
  };
  return { open, scopes: async () => options.knownScopes ?? (await open()).principal.scopes };
}
