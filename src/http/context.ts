import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';

/** The bindings are Node's request and response; they are missing where a test asks the app without a socket. */
export interface AppEnv {
  Bindings: Partial<HttpBindings>;
}

export type App = Hono<AppEnv>;
export type RequestContext = Context<AppEnv>;
