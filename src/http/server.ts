import { Hono } from 'hono';
import type { Core } from '../core/core.ts';
import { PosthornError } from '../core/errors.ts';
import type { Log } from '../core/ports/ports.ts';
import type { Answer } from './answer.ts';
import { routeHandler } from './api/handler.ts';
import { routes } from './api/routes.ts';
import { serviceRoutes } from './api/service.ts';
import { makeCallerOf } from './caller.ts';
import type { App, AppEnv, RequestContext } from './context.ts';
import { type Lost, mountDashboard } from './dashboard/mount.ts';
import { wantsPage } from './dashboard/request.ts';
import { exchange, type Subject, type Work } from './exchange.ts';
import type { Face } from './face.ts';
import { makeHostGuard } from './hosts.ts';
import type { MetricsFace } from './metrics.ts';
import { nothingHere } from './nothing-here.ts';
import { type McpFetch, mcpHandler, mcpMethods } from './mcp-mount.ts';
import { builtInCatalogue } from '../core/catalogue.ts';
import { openApiDocument } from './openapi/document.ts';
import { mcpPath, openApiPath } from './paths.ts';
import { problemAnswer } from './problem.ts';

export { listen, type Listening } from './listen.ts';

export interface AppOptions {
  core: Core;
  mcp: McpFetch;
  /** Names and addresses that Host and Origin may hold; the host of `publicUrl` is added. */
  allowedHosts: readonly string[];
  /** Proxies whose X-Forwarded-For is believed, as `address/bits`. */
  trustedProxies?: readonly string[];
  publicUrl: string;
  brand: string;
  version: string;
  /** Null when requests can be served, else the reason why not, in a sentence that strangers may read. */
  ready: () => Promise<string | null>;
  /** Null: `/metrics` does not exist. */
  metrics?: MetricsFace | null;
  log: Log;
}

/** Everything that is reached over HTTP: REST, MCP, health and the OpenAPI document. */
export function makeApp(options: AppOptions): App {
  const publicUrl = options.publicUrl.replace(/\/+$/, '');
  const { version, brand } = options;
  const openApiOf: Face['openApiOf'] = (types) => JSON.stringify(openApiDocument({ publicUrl, version, brand, types }));
  const face: Face = {
    ...options,
    publicUrl,
    callerOf: makeCallerOf(options.trustedProxies ?? []),
    metrics: options.metrics ?? null,
    checkHost: makeHostGuard(options.allowedHosts, publicUrl),
    openApi: lazily(() => openApiOf(builtInCatalogue())),
    openApiOf,
  };
  const app = new Hono<AppEnv>();
  for (const route of routes)
    app.on(route.method, route.path.replaceAll(/\{(\w+)\}/g, ':$1'), routeHandler(face, route));
  app.on(mcpMethods, mcpPath, mcpHandler(face, options.mcp));
  const open = (path: string, work: Work) => app.get(path, exchange(face, openSubject(face, path, true), work));
  for (const route of serviceRoutes) open(route.path, (c) => route.run(face, c));
  const greet: Work = async () => ({ status: 200, text: greeting(face), contentType: 'text/plain; charset=utf-8' });
  const lost = mountDashboard(app, face, exchange(face, openSubject(face, '/', true), greet));
  app.notFound(exchange(face, openSubject(face, null, false), (c) => strayAnswer(app, c, lost)));
  return app;
}

function openSubject(face: Face, pattern: string | null, frequent: boolean): Subject {
  return { pattern, frequent, protected: { realm: face.brand, scopes: [] } };
}

/** 405 where the path exists under another method (RFC 9110 section 15.5.6), else 404. */
async function strayAnswer(app: App, c: RequestContext, lost: Lost): Promise<Answer | Response> {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(
    (method) => app.router.match(method, c.req.path)[0].length > 0,
  );
  if (methods.length === 0) {
    if (wantsPage(c)) return lost(c, 404);
    throw nothingHere();
  }
  const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  if (wantsPage(c)) {
    const page = await lost(c, 405);
    page.headers.set('allow', allow);
    return page;
  }
  const answer = problemAnswer(new PosthornError('method_not_allowed', `This path takes ${allow}.`), '');
  return { ...answer, headers: { ...answer.headers, allow } };
}

function greeting(face: Face): string {
  return `Posthorn ${face.version}\n\nREST  ${face.publicUrl}${openApiPath}\nMCP   ${face.publicUrl}${mcpPath}\n`;
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
