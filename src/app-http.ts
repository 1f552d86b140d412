import { type Config, localUrl } from './config.ts';
import { isLoopback } from './config/addresses.ts';
import type { Core } from './core/core.ts';
import type { Clock, Metrics, Ports, Store } from './core/ports/ports.ts';
import type { MetricsFace } from './http/metrics.ts';
import { metadataPath } from './http/paths.ts';
import type { PrometheusMetrics } from './metrics.ts';
import type { App } from './http/context.ts';
import { listen, makeApp } from './http/server.ts';
import { makeMcpHandler } from './mcp/http.ts';
import { packageVersion } from './package.ts';

/** A worker whose heart was not taken for this long has lost its leases to others. */
const silenceMsMax = 10_000;
const pingMsMax = 2_000;

export interface HttpServer {
  url: string;
  port: number;
  close(): Promise<void>;
}

/** Puts the HTTP face and the MCP face behind it together and opens the port. */
export async function serveHttp(config: Config, core: Core, ports: Ports): Promise<HttpServer> {
  const { log } = ports;
  let publicUrl = config.publicUrl ?? '';
  const mcp = makeMcpHandler({
    core,
    groups: config.toolGroups,
    readOnly: config.readOnly,
    version: packageVersion,
    log,
    resourceMetadataUrl: () => `${publicUrl}${metadataPath}`,
  });
  let app: App | null = null;
  // Documents name the port, which PORT=0 tells only when it is open; no request is read before the app is made.
  const late = { fetch: (...request: Parameters<App['fetch']>) => app?.fetch(...request) } as App;
  const server = await listen(late, { host: config.host, port: config.port, log });
  publicUrl ||= localUrl(config.host, server.port);
  app = makeApp({
    core,
    mcp: (request, principal) => mcp.fetch(request, principal),
    allowedHosts: config.allowedHosts,
    trustedProxies: config.trustedProxies,
    publicUrl,
    brand: config.brand,
    version: packageVersion,
    metrics: metricsFace(config, core, ports),
    ready: () => faultOf(config, core, ports),
    log,
  });
  return {
    url: server.url,
    port: server.port,
    async close() {
      // Open MCP streams would keep the server from closing.
      const closed = server.close();
      await mcp.close();
      await closed;
    },
  };
}

/** Beyond loopback the page exists only behind its token. */
function metricsFace(config: Config, core: Core, { metrics, store, clock }: Ports): MetricsFace | null {
  const guarded = config.metricsToken !== null || isLoopback(config.host);
  if (!guarded || !hasPage(metrics)) return null;
  return { token: config.metricsToken, page: () => metrics.page(store, core.worker, clock.now()) };
}

/** A host that brings its own metrics has a page of its own. */
function hasPage(metrics: Metrics): metrics is PrometheusMetrics {
  return 'page' in metrics;
}

/** Null when the store answers and the dispatcher's heart beats, else the reason why requests had better go elsewhere. */
async function faultOf(config: Config, core: Core, { store, clock }: Ports): Promise<string | null> {
  if (!(await answers(store, clock))) return 'The database does not answer.';
  const { lastBeatAt } = core.worker.pulse();
  if (!config.dispatch || (lastBeatAt !== null && clock.now() - lastBeatAt < silenceMsMax)) return null;
  return "The dispatcher's heart does not beat.";
}

/** Whether the database answers in time: one that is away may keep a connection waiting for minutes. */
function answers(store: Store, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isAnswer: boolean) => {
      cancel();
      resolve(isAnswer);
    };
    const cancel = clock.after(pingMsMax, () => resolve(false));
    store.ping().then(
      () => settle(true),
      () => settle(false),
    );
  });
}
