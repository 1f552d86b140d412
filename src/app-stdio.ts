import type { Posthorn } from './app.ts';
import { type Config, ConfigError } from './config.ts';
import { PosthornError } from './core/errors.ts';
import type { Metrics } from './core/ports/ports.ts';
import type { Via } from './core/types.ts';
import { agentScopes } from './core/vocabulary.ts';
import { makeLog } from './log.ts';
import { serveStdio } from './mcp/stdio.ts';
import { packageVersion } from './package.ts';

/** A client that has gone waits for nobody; attempts that take longer are made again by the next process. */
const drainMs = 3_000;
/** Nobody asks this process for its figures, and what keeps them takes time to load. */
const metrics: Metrics = { accepted() {}, attempted() {} };

/** Which client it is, the protocol tells. */
const via: Via = { face: 'mcp', client: null };

/**
 * Speaks MCP on stdin and stdout until the client is gone or `signal` aborts. The database is opened, and delivering
 * begins, at the first request that needs it: some clients start a process only to kill it.
 */
export async function serveLocally(config: Config, signal: AbortSignal): Promise<void> {
  const { apiKey, readOnly, toolGroups } = config;
  const posthorn = makeOpener(config);
  await serveStdio({
    groups: toolGroups,
    readOnly,
    version: packageVersion,
    log: makeLog({ level: config.logLevel }),
    ...(apiKey === null && { knownScopes: new Set(agentScopes) }),
    signal,
    async preload() {
      const [{ preload }] = await Promise.all([import('./app.ts'), import('./app-local.ts')]);
      await preload(config);
    },
    async core() {
      const { core, startDispatcher } = await posthorn.open();
      await startDispatcher();
      return core;
    },
    principal: (core) => (apiKey === null ? core.localPrincipal(via) : core.authenticate(apiKey, via)),
  });
  await posthorn.close();
}

/** Opens one Posthorn at most: a call after one that failed tries again, a call after one that worked gets the same. */
function makeOpener(config: Config): { open(): Promise<Posthorn>; close(): Promise<void> } {
  let opening: Promise<Posthorn> | undefined;
  return {
    open() {
      opening ??= create(config).catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    async close() {
      const posthorn = await opening?.catch(() => undefined);
      await posthorn?.stop(drainMs);
    },
  };
}

/** A wrong secret key shows only now, when the only one who listens is a model: its sentence goes there. */
async function create(config: Config): Promise<Posthorn> {
  const { createLocalPosthorn } = await import('./app-local.ts');
  try {
    const { posthorn } = await createLocalPosthorn(config, { metrics });
    return posthorn;
  } catch (error) {
    throw error instanceof ConfigError ? new PosthornError('misconfigured', error.message) : error;
  }
}
