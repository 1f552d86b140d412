import { z } from 'zod';
import { allOf } from '../../core/all-of.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { scopes } from '../../core/vocabulary.ts';
import type { Answer } from '../answer.ts';
import { authenticateRequest } from '../auth.ts';
import type { RequestContext } from '../context.ts';
import type { Face } from '../face.ts';
import { metricsAnswer } from '../metrics.ts';
import { mcpPath, metadataPath, openApiPath } from '../paths.ts';
import type { DocumentedAnswer } from './route.ts';

/** A route of the server itself: no API key, no input. */
export interface ServiceRoute {
  method: 'GET';
  path: `/${string}`;
  operationId: string;
  summary: string;
  description?: string;
  answers: readonly DocumentedAnswer[];
  /** Codes that it may answer beside those of every route. */
  errors?: readonly ErrorCode[];
  run(face: Face, c: RequestContext): Promise<Answer>;
}

const alive = z.object({ status: z.literal('ok') });
const ready = z.object({ status: z.literal('ready') });
const notReady = z.object({ status: z.literal('not_ready'), reason: z.string() });
const resourceMetadata = z.object({
  resource: z.string(),
  resource_name: z.string(),
  bearer_methods_supported: z.array(z.string()),
  scopes_supported: z.array(z.string()),
});

export const serviceRoutes: readonly ServiceRoute[] = [
  {
    method: 'GET',
    path: '/healthz',
    operationId: 'healthz',
    summary: 'Whether the process lives',
    answers: [{ status: 200, description: 'It does', schema: alive }],
    run: async () => ({ status: 200, json: { status: 'ok' } }),
  },
  {
    method: 'GET',
    path: '/readyz',
    operationId: 'readyz',
    summary: 'Whether the store answers and deliveries are made',
    answers: [
      { status: 200, description: 'Both', schema: ready },
      { status: 503, description: 'Not now, for this reason', schema: notReady },
    ],
    run: readiness,
  },
  {
    method: 'GET',
    path: openApiPath,
    operationId: 'openapi',
    summary: 'This document',
    answers: [{ status: 200, description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) }],
    description:
      'Its webhooks are the built-in event types. With a key that holds webhooks:read, they are those of its workspace.',
    errors: ['unauthorized', 'store_unavailable'],
    run: async (face, c) => ({ status: 200, text: await documentFor(face, c), headers: { vary: 'authorization' } }),
  },
  {
    method: 'GET',
    path: '/metrics',
    operationId: 'metrics',
    summary: 'Figures for Prometheus',
    description:
      'Where POSTHORN_METRICS_TOKEN is set, with that as its bearer token; else on loopback only. No figure is by workspace.',
    answers: [{ status: 200, description: 'Its text format', schema: z.string(), contentType: 'text/plain' }],
    errors: ['unauthorized', 'not_found', 'store_unavailable'],
    run: (face, c) => metricsAnswer(face.metrics, c),
  },
  metadataRoute('protectedResource', '/.well-known/oauth-protected-resource'),
  metadataRoute('protectedResourceMcp', metadataPath),
];

async function documentFor(face: Face, c: RequestContext): Promise<string> {
  if (!c.req.raw.headers.has('authorization')) return face.openApi();
  const principal = await authenticateRequest(face.core, c.req.raw, 'rest');
  if (!principal.scopes.has('webhooks:read')) return face.openApi();
  return face.openApiOf(await allOf((of) => face.core.listEventTypes(principal, of)));
}

async function readiness(face: Face): Promise<Answer> {
  const reason = await face.ready().catch((error: unknown) => {
    face.log.error({ err: error }, 'readiness check failed');
    return 'The readiness check itself failed.';
  });
  return reason === null
    ? { status: 200, json: { status: 'ready' } }
    : { status: 503, json: { status: 'not_ready', reason }, headers: { 'retry-after': '1' } };
}

/** RFC 9728 section 3: what a client of /mcp needs. No authorization server is named, for keys are handed out by people. */
function metadataRoute(operationId: string, path: `/${string}`): ServiceRoute {
  return {
    method: 'GET',
    path,
    operationId,
    summary: 'What the MCP endpoint asks of a bearer (RFC 9728)',
    answers: [{ status: 200, description: 'The metadata', schema: resourceMetadata }],
    run: async (face) => ({
      status: 200,
      json: {
        resource: `${face.publicUrl}${mcpPath}`,
        resource_name: `${face.brand} webhooks`,
        bearer_methods_supported: ['header'],
        scopes_supported: [...scopes],
      },
    }),
  };
}
