import type { LocalPosthorn } from './app-local.ts';
import type { Posthorn } from './app.ts';
import { type Config, ConfigError } from './config.ts';
import type { Core } from './core/core.ts';
import { PosthornError } from './core/errors.ts';
import type { Metrics } from './core/ports/ports.ts';
import type { Via } from './core/types.ts';
import { agentScopes } from './core/vocabulary.ts';
import { makeLog } from './log.ts';
import { serveStdio } from './mcp/stdio.ts';
import { packageVersion } from './package.ts';

/** A client that has gone waits for nobody; attempts that take longer are made again by the next process. */
const drainMs = 3_000;
/** How often it is looked for a server that has started with other settings, between requests: each looks by itself. */
const lookMs = 2_000;
/** So long a request may go on with what it began with. */
const requestMs = 60_000;
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
  const broken = new AbortController();
  const opener = makeOpener(config, (reason) => broken.abort(reason));
  await serveStdio({
    groups: toolGroups,
    readOnly,
    version: packageVersion,
    log: makeLog({ level: config.logLevel }),
    ...(apiKey === null && { knownScopes: new Set(agentScopes) }),
    signal: AbortSignal.any([signal, broken.signal]),
    async preload() {
      const [{ preload }] = await Promise.all([import('./app.ts'), import('./app-local.ts')]);
      await preload(config);
    },
    core: opener.core,
    principal: (core) => (apiKey === null ? core.localPrincipal(via) : core.authenticate(apiKey, via)),
  });
  await opener.close();
  broken.signal.throwIfAborted();
}

/**
 * One Posthorn at a time, opened at the first call. A server may start with other settings while this process lives: then
 * another one takes its place, which goes by those, so that an approval that is wanted from now on is wanted here too.
 */
function makeOpener(
  config: Config,
  onBroken: (reason: unknown) => void,
): { core(): Promise<Core>; close(): Promise<void> } {
  let current: Promise<LocalPosthorn> | undefined;
  let looking: NodeJS.Timeout | undefined;
  let isClosed = false;
  const replaced = new Set<Posthorn>();

  async function core(): Promise<Core> {
    current ??= create(config, onBroken).catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    const opening = current;
    const { posthorn, isOutdated } = await opening;
    looking ??= setInterval(() => void core().catch(() => {}), lookMs).unref();
    if (!(await isOutdated()) || isClosed) {
      await posthorn.startDispatcher();
      return posthorn.core;
    }
    if (current === opening) {
      current = undefined;
      void replace(posthorn).catch(() => {});
    }
    return core();
  }

  /** It delivers no more from now on, and closes later. */
  async function replace(posthorn: Posthorn): Promise<void> {
    replaced.add(posthorn);
    setTimeout(() => {
      replaced.delete(posthorn);
      void posthorn.stop(0).catch(() => {});
    }, requestMs).unref();
    // A worker that is being started cannot be stopped yet.
    await posthorn.startDispatcher();
    await posthorn.core.worker.stop(drainMs);
  }

  return {
    core,
    async close() {
      isClosed = true;
      clearInterval(looking);
      const last = await current?.catch(() => undefined);
      const open = last === undefined ? [...replaced] : [...replaced, last.posthorn];
      await Promise.all(open.map((posthorn) => posthorn.stop(drainMs)));
    },
  };
}

/** A wrong secret key shows only now, when the only one who listens is a model: its sentence goes there. */
async function create(config: Config, onBroken: (reason: unknown) => void): Promise<LocalPosthorn> {
  const { createLocalPosthorn } = await import('./app-local.ts');
  try {
    const local = await createLocalPosthorn(config, { metrics });
    const { broken } = local.posthorn;
    broken.addEventListener('abort', () => onBroken(broken.reason));
    return local;
  } catch (error) {
    throw error instanceof ConfigError ? new PosthornError('misconfigured', error.message) : error;
  }
}
