import { Hono } from 'hono';
import { readJson } from '../src/http/body.ts';
import type { AppEnv } from '../src/http/context.ts';
import { listen } from '../src/http/listen.ts';

/** Posthorn's own HTTP server with nothing behind it: it reads the body as JSON and answers 202. */
const app = new Hono<AppEnv>();
app.post('/v1/events', async (c) => {
  const body = await readJson(c);
  const one = { id: 'evt_01kb4aaaaaaaaaaaaaaaaaaaaa', deliveries: 1 };
  return c.json(Array.isArray(body) ? { data: body.map(() => one) } : one, 202);
});
const silent = () => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };
const { url } = await listen(app, { host: '127.0.0.1', port: 0, log });
process.stderr.write(`listening on ${url}\n`);
