import { type Config, localUrl } from './config.ts';
import { recordSettings } from './config/record-settings.ts';
import { checkSecretKey } from './config/secret-key-check.ts';
import { readSecretKey } from './config/secret-key.ts';
import { type Core, createCore } from './core/core.ts';
import type { Ports, Store } from './core/ports/ports.ts';
import type { Schemas } from './core/ports/schemas.ts';
import type { Settings } from './core/settings.ts';
import { makeLog } from './log.ts';
import type { Lookup } from './net/lookup.ts';
import { makeOperator, type Operator } from './operator.ts';
import { packageVersion } from './package.ts';
import { systemClock, systemRandom } from './system.ts';
import { newTypeId } from './type-id.ts';

export { type Config, ConfigError, loadConfig } from './config.ts';
export type { Operator } from './operator.ts';

/** Posthorn, put together and not yet started. It owns no signals and never ends the process. */
export interface Posthorn {
  readonly core: Core;
  readonly operator: Operator;
  readonly engine: Store['engine'];
  /** Aborts when nothing can be stored any more, with the reason: this process has to end, and another one to be started. */
  readonly broken: AbortSignal;
  /** Begins to deliver, unless the configuration says that this process does not. More than once does not harm. */
  startDispatcher(): Promise<void>;
  /**
   * Serves REST, MCP and the dashboard; resolves once it accepts requests. The database keeps what this server goes by, for
   * the processes beside it.
   */
  listen(): Promise<Address>;
  /**
   * Stops taking requests, lets attempts in flight end for at most `drainMs`, gives back leases, closes the database.
   * Once is enough, more does not harm.
   */
  stop(drainMs?: number): Promise<void>;
}

/** What a host or a test brings itself. */
export interface Overrides extends Partial<Ports> {
  /** Resolves names instead of the system; what it answers is vetted all the same. */
  lookup?: Lookup;
}

export interface Address {
  url: string;
  port: number;
}

interface Face {
  close(): Promise<void>;
}

export const drainMsMax = 10_000;

/**
 * Opens the database (and makes its tables), then puts core and adapters together. `overrides` replaces ports, for tests
 * and hosts that bring their own. Throws ConfigError when the secret key does not fit the database.
 */
export async function createPosthorn(config: Config, overrides: Overrides = {}): Promise<Posthorn> {
  let listening: Address | null = null;
  const broken = new AbortController();
  const breakDown = (error: Error) => broken.abort(error);
  const ports = await openPorts(config, overrides, () => listening?.port ?? config.port, breakDown);
  try {
    const secretKey = await readSecretKey(config);
    await checkSecretKey(secretKey, ports.store.keys, ports.random);
    const core = createCore(ports, settingsOf(config), secretKey.key);
    const faces: Face[] = [];
    let starting: Promise<void> | null = null;
    let stopping: Promise<void> | null = null;
    return {
      core,
      operator: makeOperator(core, ports),
      engine: ports.store.engine,
      broken: broken.signal,
      startDispatcher() {
        starting ??= (config.dispatch ? core.worker.start() : Promise.resolve()).catch((error: unknown) => {
          starting = null;
          throw error;
        });
        return starting;
      },
      async listen() {
        const { serveHttp } = await import('./app-http.ts');
        const server = await serveHttp(config, core, ports);
        faces.push(server);
        listening = { url: server.url, port: server.port };
        faces.push({ close: await recordSettings({ ...config, port: server.port }, ports) });
        return listening;
      },
      stop(drainMs = drainMsMax) {
        // What is in flight could not be recorded any more: it is not waited for.
        stopping ??= stop(ports, core, faces, broken.signal.aborted ? 0 : drainMs);
        return stopping;
      },
    };
  } catch (error) {
    await closePorts(ports);
    throw error;
  }
}

/** Requests and attempts end side by side: an open stream must not use up the time that attempts have. */
async function stop(ports: Ports, core: Core, faces: Face[], drainMs: number): Promise<void> {
  try {
    await Promise.all([...faces.map((face) => face.close()), core.worker.stop(drainMs)]);
    await core.close();
  } finally {
    await closePorts(ports);
  }
}

async function closePorts({ sender, store }: Ports): Promise<void> {
  await sender.close();
  await store.close();
}

async function openPorts(
  config: Config,
  overrides: Overrides,
  port: () => number,
  onDeath: (error: Error) => void,
): Promise<Ports> {
  const log = overrides.log ?? makeLog({ level: config.logLevel });
  const clock = overrides.clock ?? systemClock;
  // The database opens in a thread of its own while the rest is loaded. What the host brings itself is not loaded at all.
  const { sender, lookup } = overrides;
  const [store, metrics, conditions, { makePolicy }, { interfaceAddresses }, { makeTargets }, { makeSender }] =
    await Promise.all([
      overrides.store ?? openConfigured(config, onDeath),
      overrides.metrics ?? import('./metrics.ts').then(({ makeMetrics }) => makeMetrics()),
      overrides.conditions ?? import('./conditions/conditions.ts').then(({ makeConditions }) => makeConditions()),
      import('./net/address.ts'),
      import('./net/lookup.ts'),
      import('./net/targets.ts'),
      sender === undefined ? import('./net/sender.ts') : { makeSender: () => sender },
    ]);
  const asked = lookup === undefined ? {} : { lookup };
  const policy = makePolicy({
    allowTargets: config.allowTargets,
    ownHosts: () => ownHosts(config, port()),
    ownAddresses: interfaceAddresses,
    ownPort: port,
  });
  return {
    store,
    sender: makeSender({ policy, clock, ...asked, connectionsPerOrigin: config.endpointConcurrency }),
    metrics,
    conditions,
    schemas: overrides.schemas ?? lateSchemas,
    targets: overrides.targets ?? makeTargets({ policy, clock, ...asked }),
    clock,
    random: overrides.random ?? systemRandom,
    newId: overrides.newId ?? newTypeId,
    log,
  };
}

/** Most workspaces check no schema, and the validator takes a while to load. */
const lateSchemas: Schemas = {
  async compile(text) {
    const { schemas } = await import('./schemas/schemas.ts');
    return schemas.compile(text);
  },
};

/** Loads what `createPosthorn` will need, and opens nothing. */
export async function preload({ databaseUrl }: Config): Promise<void> {
  const { preloadStore } = await import('./store/open.ts');
  await preloadStore(databaseUrl);
  await Promise.all([import('./net/sender.ts'), import('./conditions/conditions.ts')]);
}

async function openConfigured(config: Config, onDeath: (error: Error) => void): Promise<Store> {
  const { openStore } = await import('./store/open.ts');
  return openStore(config.databaseUrl, { healthLimits: config, onDeath });
}

/** Under which hosts and ports this server would call itself. */
export function ownHosts(config: Config, port: number): string[] {
  const own = [localUrl(config.host, port), `http://localhost:${port}`, config.publicUrl].map((each) =>
    each === null ? null : URL.parse(each),
  );
  return own.flatMap((url) => (url === null ? [] : [`${url.hostname}:${url.port || defaultPort(url)}`]));
}

function defaultPort(url: URL): number {
  return url.protocol === 'https:' ? 443 : 80;
}

function settingsOf(config: Config): Settings {
  const { adminKey, attemptTimeoutMs, brand, concurrency, disableAfterFailures, disableAfterMs } = config;
  const { endpointConcurrency, newHosts, publishPerMinute, retentionMs, retryScheduleMs } = config;
  return {
    version: packageVersion,
    adminKey,
    attemptTimeoutMs,
    brand,
    concurrency,
    disableAfterFailures,
    disableAfterMs,
    endpointConcurrency,
    newHosts,
    publishPerMinute,
    retentionMs,
    retryScheduleMs,
  };
}
