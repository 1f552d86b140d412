import type { ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReader, openWriter } from '../../src/store/sqlite/connection.ts';
import { makeReply } from '../../src/store/sqlite/reply.ts';
import { sqliteStore } from '../../src/store/sqlite/store.ts';
import { storeError } from '../../src/store/store-error.ts';
import { type Harness, startHarness } from '../support/harness.ts';
import { testLimits } from '../support/stores.ts';
import { until } from '../support/until.ts';

const adminKey = 'tp_live_an_admin_key_for_the_tests_only';
let folder: string;
let writer: Database;
let h: Harness;
let url: string;
let id: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-full-'));
  const path = join(folder, 'posthorn.db');
  writer = openWriter(path);
  // The writer without its thread, so that the test can say how large the file may grow.
  const reply = makeReply(writer, testLimits);
  const store = sqliteStore(openReader(path), {
    async request(request) {
      const answer = reply(request);
      if (answer.kind === 'failed') throw storeError(answer.error);
      return answer;
    },
    close: async () => void writer.close(),
  });
  h = await startHarness({
    ports: { store },
    databaseUrl: `file:${path}`,
    environment: { PORT: '0', POSTHORN_ADMIN_KEY: adminKey },
  });
  ({ url } = await h.posthorn.listen());
  ({ id } = await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] }));
  await h.posthorn.startDispatcher();
});
afterEach(async () => {
  await h.close();
  rmSync(folder, { recursive: true });
});

const pages = () => writer.pragma('page_count', { simple: true }) as number;
const growTo = (count: number) => void writer.pragma(`max_page_count = ${count}`);
const events = () => writer.prepare('select count(*) from events').pluck().get() as number;
const attempts = async () => (await h.core.listSubscriptionLogs(h.owner, { subscription_id: id, limit: 200 })).data;

async function publish(eventId: string): Promise<{ status: number; code: unknown }> {
  const response = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'contact.created', id: eventId, data: { text: 'x'.repeat(10_000) } }),
  });
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, code: body['code'] };
}

/** Publishes until it is refused; answers the ids that were taken, and how the next was refused. */
async function fill(): Promise<{ taken: string[]; refusal: Awaited<ReturnType<typeof publish>> }> {
  const taken: string[] = [];
  for (let n = 0; n < 1_000; n++) {
    const answer = await publish(`event-${n}`);
    if (answer.status !== 202) return { taken, refusal: answer };
    taken.push(`event-${n}`);
  }
  throw new Error('the disk never filled up');
}

describe('a disk that fills up', () => {
  it('refuses new events before anything is lost, and delivers what it took', async () => {
    // Each answer leaves an excerpt in the log, which needs room too.
    const answer = (response: ServerResponse) => response.writeHead(200).end('y'.repeat(1_000));
    const waiting: ServerResponse[] = [];
    h.receiver.respond((_request, response) => waiting.push(response));
    growTo(pages() + 250);
    const { taken, refusal } = await fill();
    expect(refusal).toEqual({ status: 503, code: 'store_unavailable' });
    expect(taken.length).toBeGreaterThan(40);
    expect(events()).toBe(taken.length);
    h.receiver.respond((_request, response) => answer(response));
    for (const response of waiting) answer(response);
    await until(async () => (await attempts()).length === taken.length);
    expect((await attempts()).every(({ status }) => status === 'succeeded')).toBe(true);
    expect(await publish('another')).toMatchObject({ status: 503 });
    growTo(pages() + 10_000);
    expect(await publish('another')).toMatchObject({ status: 202 });
    await until(async () => (await attempts()).length === taken.length + 1);
  });

  it('keeps the rest of the disk from wide events and replays too', async () => {
    h.receiver.respond((_request, response) => response.writeHead(200).end());
    growTo(pages() + 250);
    const { taken } = await fill();
    await until(async () => (await attempts()).length === taken.length);
    // As it stands when it was published before the disk was that full.
    writer.prepare("update events set fanned_out_after = 0 where public_id = 'event-0'").run();
    const owed = writer.prepare('select count(*) from deliveries').pluck();
    const before = owed.get();
    await h.core.createSubscription(h.owner, { url: h.receiver.url, events: ['*'] });
    h.clock.advance(1_000);
    await until(() => h.logs.some(({ message }) => message.startsWith('fanning out wide events stopped')));
    const replayed = h.core.replaySubscription(h.owner, {
      subscription_id: id,
      since: '2026-01-01T00:00:00Z',
      status: 'all',
    });
    await expect(replayed).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(owed.get()).toBe(before);
    growTo(pages() + 10_000);
    await until(() => {
      h.clock.advance(1_000);
      return owed.get() === Number(before) + 1;
    });
  });

  it('repeats what it could not record until there is room', async () => {
    const answers: (() => void)[] = [];
    h.receiver.respond((_request, response) => answers.push(() => response.writeHead(200).end('z'.repeat(16_000))));
    expect(await publish('held')).toMatchObject({ status: 202 });
    await h.receiver.received(1);
    growTo(pages());
    for (const answer of answers) answer();
    await until(() => h.logs.some(({ message }) => message === 'attempts could not be recorded'));
    expect(await attempts()).toEqual([]);
    h.clock.advance(1_000);
    growTo(pages() + 1_000);
    await until(async () => {
      h.clock.advance(1_000);
      return (await attempts()).length === 1;
    });
    expect(await attempts()).toMatchObject([{ status: 'succeeded', attempt: 1 }]);
    expect(h.receiver.requests).toHaveLength(1);
  });

  it('records a test that was sent once there is room, though its caller has long been answered', async () => {
    h.receiver.respond((_request, response) => response.writeHead(200).end('z'.repeat(16_000)));
    growTo(pages());
    const failed = h.core.testSubscription(h.owner, { subscription_id: id }).then(
      () => null,
      (error: unknown) => error,
    );
    const later = async (done: () => boolean | Promise<boolean>) =>
      until(() => {
        h.clock.advance(1_000);
        return done();
      });
    await later(() => h.logs.some(({ message }) => message === 'a test was sent and is not recorded yet'));
    expect(await failed).toMatchObject({ code: 'store_unavailable' });
    expect(await attempts()).toEqual([]);
    growTo(pages() + 1_000);
    await later(async () => (await attempts()).length === 1);
    expect(await attempts()).toMatchObject([{ status: 'succeeded', is_test: true }]);
    expect(h.receiver.requests).toHaveLength(1);
  });
});
