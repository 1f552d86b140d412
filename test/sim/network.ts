import type { OutgoingRequest, Sender, SendResult } from '../../src/core/ports/sender.ts';
import type { Owner, World } from './world.ts';

/** How a receiver behaves for a while. */
export type Mood = 'well' | 'slow' | 'broken' | 'away' | 'silent' | 'gone' | 'busy' | 'moody';
const moods: Mood[] = ['well', 'slow', 'broken', 'away', 'silent', 'gone', 'busy', 'moody'];

/** One request as it left a process. */
export interface Sent {
  eventId: string;
  /** Of the endpoint: the first part of the path. */
  endpoint: string;
  isTest: boolean;
  owner: Owner;
  startedAt: number;
  endedAt: number | null;
  /** Whether it reached the receiver, and what was answered. */
  seen: boolean;
  status: number | null;
}

const nothing: SendResult = { responseCode: null, error: null, durationMs: 1, retryAfter: null, excerpt: null };

/** Receivers, and an account of what was sent to them that no process keeps. */
export class Network {
  readonly #world: World;
  readonly #moods = new Map<string, Mood>();
  readonly sent: Sent[] = [];
  readonly slow: boolean;

  constructor(world: World, slow: boolean) {
    this.#world = world;
    this.slow = slow;
  }

  /** From now on every receiver is well. */
  heal(): void {
    this.#moods.clear();
  }

  changeMood(endpoint: string, allowed: readonly Mood[] = moods): void {
    this.#moods.set(endpoint, this.#world.random.pick(allowed));
  }

  isWell(endpoint: string): boolean {
    return (this.#moods.get(endpoint) ?? 'well') === 'well';
  }

  sender(owner: Owner): Sender {
    return { send: (request) => this.#send(owner, request), close: async () => {} };
  }

  async #send(owner: Owner, request: OutgoingRequest): Promise<SendResult> {
    const world = this.#world;
    const header = (name: string) => request.headers[request.headers.indexOf(name) + 1] ?? '';
    const sent: Sent = {
      eventId: header('webhook-id'),
      endpoint: new URL(request.url).pathname.split('/')[1] ?? '',
      isTest: request.headers.includes('X-TrustPager-Test'),
      owner,
      startedAt: world.now,
      endedAt: null,
      seen: false,
      status: null,
    };
    this.sent.push(sent);
    world.note(`sends ${sent.eventId} to ${sent.endpoint}`);
    const result = await this.#answer(owner, request.deadlineMs, sent);
    sent.endedAt = world.now;
    sent.status = result.responseCode ?? null;
    world.note(`answer ${sent.eventId} from ${sent.endpoint}: ${result.responseCode ?? result.error}`);
    return { ...nothing, durationMs: world.now - sent.startedAt, ...result };
  }

  async #answer(owner: Owner, deadlineMs: number, sent: Sent): Promise<Partial<SendResult>> {
    const world = this.#world;
    const { random } = world;
    const mood = this.#moods.get(sent.endpoint) ?? 'well';
    const now: Mood = mood === 'moody' ? random.pick(['well', 'well', 'broken', 'away', 'silent', 'busy']) : mood;
    await world.pass(random.float() * 4, owner);
    if (now === 'away') return { error: random.chance(0.5) ? 'connect_refused' : 'dns_failed' };
    sent.seen = now !== 'silent' || random.chance(0.5);
    if (now === 'silent') {
      await world.pass(deadlineMs, owner);
      return { error: 'timeout' };
    }
    if (now === 'slow') await world.pass(deadlineMs * (0.5 + random.float() * 0.4), owner);
    await world.pass(this.slow && random.chance(0.15) ? random.float() * 500 : random.float() * 10, owner);
    switch (now) {
      case 'broken':
        return { responseCode: random.pick([500, 502, 302, 404, 413]) };
      case 'gone':
        return { responseCode: 410 };
      case 'busy':
        return { responseCode: random.pick([429, 503]), retryAfter: random.pick(['1', '2', '0', 'soon']) };
      default:
        return { responseCode: random.pick([200, 204]), excerpt: random.chance(0.3) ? Buffer.from('ok') : null };
    }
  }
}
