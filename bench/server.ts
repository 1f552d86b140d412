import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { childEnvironment, startChild } from './child.ts';
import { profileArguments } from './profile.ts';
import { sampleEvent } from './sample-event.ts';

const command = fileURLToPath(new URL('../bin/posthorn.js', import.meta.url));
const adminKey = 'a-key-for-nothing-but-this-benchmark';
const publishersMax = 4;

/** `posthorn serve` as a process of its own, asked over REST. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  /** Answers the parsed JSON. Throws for every status but 2xx. */
  ask<T>(method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown): Promise<T>;
  /** Resolves with the first match in what it says on stderr. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ends as an operator would end it: drained, leases given back, exit code 0. */
  stop(): Promise<void>;
  /** Ends it by force. */
  kill(): Promise<void>;
}

export interface ServerOptions {
  /** Holds database and secret key, and outlives the process. */
  folder: string;
  /** Beside what every server here has; everything else stays at its default. */
  environment?: Record<string, string>;
  nodeArguments?: string[];
}

/** How requests of this benchmark are authorized. */
export const authorization = `Bearer ${adminKey}`;

/** Starts the server on a free port and resolves once it accepts requests. */
export async function startServer({ folder, environment = {}, nodeArguments = [] }: ServerOptions): Promise<Server> {
  const child = startChild(process.execPath, [...profileArguments(), ...nodeArguments, command, 'serve'], {
    environment: childEnvironment({
      DATABASE_URL: `file:${databasePath(folder)}`,
      PORT: '0',
      POSTHORN_ADMIN_KEY: adminKey,
      POSTHORN_ALLOW_TARGETS: '127.0.0.0/8',
      ...environment,
    }),
  });
  const [, url = ''] = await child.says('stderr', /listening on (http:\S+)/);
  const agent = new Agent({ connections: publishersMax, headersTimeout: 60_000 });
  return {
    url,
    pid: child.pid,
    says: (pattern) => child.says('stderr', pattern),
    async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
      const answer = await request(url + path, {
        method,
        dispatcher: agent,
        headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) throw new Error(`${method} ${path} was answered ${answer.statusCode}: ${text}`);
      return JSON.parse(text) as T;
    },
    async kill() {
      await child.kill();
      await agent.destroy();
    },
    async stop() {
      await agent.destroy();
      await child.stop();
      const code = await child.ended;
      if (code !== 0) throw new Error(`posthorn serve ended with code ${code}`);
    },
  };
}

export function databasePath(folder: string): string {
  return join(folder, 'posthorn.db');
}

/** Makes a subscription to what `publish` publishes. Answers its id. */
export async function subscribe(server: Server, url: string): Promise<string> {
  const { id } = await server.ask<{ id: string }>('POST', '/v1/webhooks/subscribe', {
    url,
    events: [sampleEvent.type],
  });
  return id;
}

/** How many deliveries the subscription is still owed. */
export async function pendingCount(server: Server, subscriptionId: string): Promise<number> {
  const path = `/v1/webhooks/subscriptions/${subscriptionId}`;
  return (await server.ask<{ pending_count: number }>('GET', path)).pending_count;
}

/** One transaction makes so many deliveries; what is beyond it is left to a worker. */
const deliveriesAtOnce = 1_000;

/** Publishes `count` events in arrays, some of them side by side, so small that each answer finds the deliveries made. */
export async function publish(server: Server, count: number, subscriptions = 1): Promise<void> {
  const arrayLength = Math.min(500, Math.max(1, Math.floor(deliveriesAtOnce / subscriptions)));
  let left = count;
  const publisher = async () => {
    while (left > 0) {
      const length = Math.min(arrayLength, left);
      left -= length;
      await server.ask(
        'POST',
        '/v1/events',
        Array.from({ length }, () => sampleEvent),
      );
    }
  };
  await Promise.all(Array.from({ length: publishersMax }, publisher));
}
