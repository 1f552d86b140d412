import { expect } from 'vitest';
import type { Scope } from '../../src/core/vocabulary.ts';
import { type Judge, judge } from '../http/documented.ts';
import { type Harness, type HarnessOptions, startHarness } from '../support/harness.ts';
import { until } from '../support/until.ts';

export const adminKey = 'an-admin-key-of-more-than-32-characters';
/** How often the dispatcher's heart beats. */
const beatMs = 2_000;
export const subscriptions = '/v1/webhooks/subscriptions';
export const configs = '/v1/webhooks/configs';

export interface Answered {
  status: number;
  headers: Headers;
  text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- what was answered is what the tests look into
  body: any;
}

export interface Asking {
  /** The admin key unless given; null sends none. */
  key?: string | null;
  headers?: Record<string, string>;
}

/** A whole Posthorn that is asked over HTTP, and every answer held against its own document. */
export interface Rest {
  h: Harness;
  base: string;
  judged: Judge;
  /** A string is sent as it stands, anything else as JSON. */
  ask(method: string, path: string, body?: unknown, more?: Asking): Promise<Answered>;
  /** A subscription to the receiver. */
  subscribe(more?: object, asking?: Asking): Promise<Answered>;
  publish(more?: object): Promise<Answered>;
  /** A new key with these scopes. */
  makeKey(...scopes: Scope[]): Promise<string>;
  /** The log of a subscription, newest first, as soon as it has that many rows. */
  logOf(id: string, rows: number): Promise<LogRow[]>;
  /** Lets time pass, and the dispatcher notice it: a clock that stands still rings no second heartbeat. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export interface LogRow {
  id: string;
  event_id: string;
  delivery_id: string;
  attempt: number;
  status: string;
  error: string | null;
  response_code: number | null;
  is_test: boolean;
  created_at: string;
  next_attempt_at: string | null;
}

export async function startRest(options: HarnessOptions = {}): Promise<Rest> {
  const environment = { PORT: '0', POSTHORN_ADMIN_KEY: adminKey, ...options.environment };
  const h = await startHarness({ ...options, environment });
  const base = (await h.posthorn.listen()).url;
  const judged = judge((await (await fetch(`${base}/v1/openapi.json`)).json()) as Parameters<typeof judge>[0]);

  const ask: Rest['ask'] = async (method, path, body, { key = adminKey, headers = {} } = {}) => {
    const response = await fetch(base + path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const answered = { status: response.status, headers: response.headers, text: await response.text() };
    expect(judged.faults(judged.find(method, path), answered)).toEqual([]);
    return { ...answered, body: answered.text === '' ? null : JSON.parse(answered.text) };
  };

  return {
    h,
    base,
    judged,
    ask,
    subscribe: (more = {}, asking = {}) =>
      ask(
        'POST',
        '/v1/webhooks/subscribe',
        { url: `${h.receiver.url}/hook`, events: ['contact.created'], ...more },
        asking,
      ),
    publish: (more = {}) => ask('POST', '/v1/events', { type: 'contact.created', data: { name: 'Ada' }, ...more }),
    makeKey: async (...scopes) => (await ask('POST', '/v1/keys', { name: 'test', scopes })).body.key,
    async logOf(id, rows) {
      const read = async () => (await ask('GET', `${subscriptions}/${id}/logs`)).body.data as LogRow[];
      await until(async () => (await read()).length >= rows);
      return read();
    },
    async pass(ms) {
      h.clock.jump(ms);
      await until(() => {
        const { running, lastBeatAt } = h.core.worker.pulse();
        return !running || (lastBeatAt !== null && h.clock.now() - lastBeatAt < beatMs);
      });
    },
    close: () => h.close(),
  };
}
