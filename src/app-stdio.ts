import type { Posthorn } from './app.ts';
import type { Config } from './config.ts';
import { agentScopes } from './core/vocabulary.ts';
import { serveStdio } from './mcp/stdio.ts';
import { packageVersion } from './package.ts';
import { makeLog } from './system.ts';

/** A client that has gone waits for nobody; attempts that take longer are made again by the next process. */
const drainMs = 3_000;

/**
 * Speaks MCP on stdin and stdout until the client is gone or `signal` aborts. The database is opened, and delivering
 * begins, at the first request that needs it: some clients start a process only to kill it.
 */
export async function serveLocally(config: Config, signal: AbortSignal): Promise<void> {
  const { apiKey, readOnly, toolGroups } = config;
  let opening: Promise<Posthorn> | undefined;
  await serveStdio({
    groups: toolGroups,
    readOnly,
    version: packageVersion,
    log: makeLog({ level: config.logLevel }),
    ...(apiKey === null && { knownScopes: new Set(agentScopes) }),
    signal,
    async core() {
      const { createPosthorn } = await import('./app.ts');
      opening = createPosthorn(config);
      const posthorn = await opening;
      await posthorn.startDispatcher();
      return posthorn.core;
    },
    principal: (core) => (apiKey === null ? core.localPrincipal() : core.authenticate(apiKey)),
  });
  const posthorn = await opening?.catch(() => undefined);
  await posthorn?.stop(drainMs);
}
