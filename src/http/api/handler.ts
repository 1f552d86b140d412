import { requireScope } from '../../core/use-case.ts';
import { authenticateRequest } from '../auth.ts';
import type { RequestContext } from '../context.ts';
import { exchange } from '../exchange.ts';
import type { Face } from '../face.ts';
import { inputReader } from './input.ts';
import type { Route } from './route.ts';

/**
 * The handler of a route of the table. The scope is checked before the body is read, although core checks it again, so that
 * nobody without it can make the server read five megabytes.
 */
export function routeHandler(face: Face, route: Route): (c: RequestContext) => Promise<Response> {
  const read = inputReader(route);
  const subject = {
    pattern: route.path,
    frequent: route.frequent,
    protected: { realm: face.brand, scopes: [route.scope] },
  };
  return exchange(face, subject, async (c) => {
    const principal = await authenticateRequest(face.core, c.req.raw, 'rest');
    requireScope(principal, route.scope);
    return route.run(face.core, principal, await read(c));
  });
}
