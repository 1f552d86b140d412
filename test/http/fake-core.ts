import { type Core, type PublishAnswer, useCases } from '../../src/core/core.ts';
import { PosthornError } from '../../src/core/errors.ts';
import { inputs, parseInput } from '../../src/core/inputs.ts';
import type { Log } from '../../src/core/ports/ports.ts';
import type { Principal } from '../../src/core/types.ts';
import { type Scope, scopes } from '../../src/core/vocabulary.ts';
import { requireScope } from '../../src/core/use-case.ts';
import { type AppOptions, makeApp } from '../../src/http/server.ts';

export interface Call {
  useCase: string;
  input: unknown;
}

/** A key that holds exactly these scopes. */
export function keyWith(...held: readonly Scope[]): string {
  return `key:${held.join(',')}`;
}
export const fullKey = keyWith(...scopes);

/**
 * A core that checks key, scope and input as the real one and then does nothing: it notes the call and answers what the
 * test put into `answers`.
 */
export function fakeCore(answers: Record<string, unknown> = {}): { core: Core; calls: Call[] } {
  const calls: Call[] = [];
  const answer = (useCase: string, input: unknown): unknown => {
    calls.push({ useCase, input });
    const given = answers[useCase];
    if (given instanceof Error) throw given;
    return typeof given === 'function' ? given(input) : (given ?? {});
  };
  const actions = Object.entries(useCases).map(([name, one]) => [
    name,
    async (principal: Principal, input: unknown) => {
      requireScope(principal, one.scope);
      return answer(name, parseInput(one.input, input));
    },
  ]);
  const fake = {
    ...Object.fromEntries(actions),
    async publish(principal: Principal, input: unknown) {
      requireScope(principal, 'events:write');
      parseInput(inputs.publish, input);
      return (answer('publish', input) ?? {}) as PublishAnswer;
    },
    async publishMany(principal: Principal, input: unknown[]) {
      requireScope(principal, 'events:write');
      return answer('publishMany', input) as PublishAnswer[];
    },
    authenticate,
  };
  return { core: fake, calls };
}

async function authenticate(key: string): Promise<Principal> {
  const held = /^key:([a-z:,]*)$/.exec(key)?.[1];
  if (held === undefined) throw new PosthornError('unauthorized', 'This key is not known here.');
  return {
    workspaceId: 1,
    kind: 'key',
    keyId: 1,
    name: 'test',
    scopes: new Set(held.split(',') as Scope[]),
    via: { face: 'rest', client: null },
  };
}

export interface LogLine {
  level: keyof Log;
  facts: Record<string, unknown>;
  message: string;
}

/** A log that keeps its lines. */
export function fakeLog(): { log: Log; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const keep = (level: keyof Log) => (facts: object, message: string) =>
    void lines.push({ level, facts: facts as Record<string, unknown>, message });
  return { log: { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') }, lines };
}

/** An app over a fake core, and `ask`, which sends one request with the full key unless told otherwise. */
export function fakeApp(answers: Record<string, unknown> = {}, options: Partial<AppOptions> = {}) {
  const { core, calls } = fakeCore(answers);
  const { log, lines } = fakeLog();
  const app = makeApp({
    core,
    mcp: async () => new Response('{}', { headers: { 'content-type': 'application/json' } }),
    allowedHosts: ['localhost', '127.0.0.1', '::1'],
    publicUrl: 'https://hooks.example.com/',
    brand: 'TrustPager',
    version: '1.2.3',
    ready: async () => null,
    log,
    ...options,
  });
  const ask = async (
    method: string,
    path: string,
    request: { key?: string | null; headers?: Record<string, string>; body?: NonNullable<RequestInit['body']> } = {},
  ) => {
    const { key = fullKey, headers = {}, body } = request;
    const init: RequestInit = {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    };
    return app.request(path, init);
  };
  return { app, ask, calls, lines };
}

/** What a problem says, for comparing. */
export async function problemOf(response: Response): Promise<{ status: number; code: unknown; paths: string[] }> {
  const body = (await response.json()) as { code: unknown; errors: { path: string }[] };
  return { status: response.status, code: body.code, paths: body.errors.map(({ path }) => path) };
}
