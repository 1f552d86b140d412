import type { Core } from '../../src/core/core.ts';
import { PosthornError } from '../../src/core/errors.ts';
import type { Log } from '../../src/core/ports/ports.ts';
import type { Principal, Subscription } from '../../src/core/types.ts';
import { type Scope, scopes } from '../../src/core/vocabulary.ts';

/** A principal with these scopes; with every scope when none is named. */
export function principalWith(...held: Scope[]): Principal {
  return {
    workspaceId: 1,
    kind: 'key',
    keyId: 1,
    name: 'test key',
    scopes: new Set(held.length === 0 ? scopes : held),
    via: { face: 'mcp', client: null },
  };
}

export interface LogLine {
  level: string;
  facts: object;
  message: string;
}

export function recordingLog(): Log & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (facts: object, message: string) => void lines.push({ level, facts, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export const aSubscription: Subscription = {
  id: 'sub_01kb0000000000000000000001',
  url: 'https://receiver.example/hook',
  events: ['contact.*'],
  description: null,
  filter: null,
  status: 'active',
  failure_count: 0,
  last_delivered_at: null,
  last_attempt_at: null,
  last_error: null,
  last_response_code: null,
  failing_since: null,
  pending_count: 0,
  next_attempt_at: null,
  held_until: null,
  disabled_reason: null,
  disabled_at: null,
  diagnosis: 'It works.',
  created_at: '2026-11-23T10:00:00.000Z',
  updated_at: '2026-11-23T10:00:00.000Z',
};

/** Answers as little of core as a test of the face alone needs; what a test does not name is not there. */
export function fakeCore(parts: Partial<Core>): Core {
  return new Proxy<Partial<Core>>(parts, {
    get(core, name) {
      // A promise asks whatever it is resolved with for `then`.
      if (name === 'then' || name in core) return Reflect.get(core, name);
      return () => Promise.reject(new Error(`the test gave core no ${String(name)}`));
    },
  }) as Core;
}

export function notFound(): PosthornError {
  return new PosthornError('not_found', 'There is no such subscription in this workspace.');
}

/** A core with one subscription, enough for a whole conversation. */
export function coreWithOneSubscription(): Core {
  return fakeCore({
    getSubscription: (_principal, input) =>
      (input as { subscription_id: string }).subscription_id === aSubscription.id
        ? Promise.resolve(aSubscription)
        : Promise.reject(notFound()),
    listSubscriptions: async () => ({ data: [aSubscription], next_cursor: null }),
    listSubscriptionLogs: async () => ({ data: [], next_cursor: null }),
    listEventTypes: async () => ({
      data: [
        {
          name: 'contact.created',
          description: 'A contact was added.',
          schema: null,
          example: { id: 'con_1' },
          validation: 'off' as const,
          built_in: true,
        },
      ],
      next_cursor: null,
    }),
    readStatus: async () => ({
      delivering: true,
      workers: 1,
      last_heartbeat_at: null,
      due_count: 0,
      oldest_due_at: null,
    }),
    publish: async () => ({ published: { id: 'evt_1', deliveries: 1 }, repeated: false }),
  });
}
