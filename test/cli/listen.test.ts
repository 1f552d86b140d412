import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { type RunningHere, startHere } from './here.ts';

const secret = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;
const noFit = 'no signature in webhook-signature fits the secret and the body';
const plainNoFit = 'it does not fit the secret and the body';
const tooFar = 'webhook-timestamp is too far from the present';
const body = '{"id":"evt_1","type":"contact.created","timestamp":"2026-11-23T10:00:00.000Z","data":{}}';

describe('listen', () => {
  it('verifies both signatures', async () => {
    const { url, listener } = await startListener('--secret', secret);
    await post(url, {});
    expect(await received(listener, 1)).toMatchObject({
      method: 'POST',
      path: '/hook?a=1',
      id: 'evt_1',
      event_type: 'contact.created',
      attempt: 1,
      is_test: false,
      signatures: { standard: 'valid', plain: 'valid' },
      answered_status: 200,
      body,
    });
    listener.stop();
    expect(await listener.ended).toMatchObject({ code: 0 });
  });

  it.each([
    ['another body', { body: '{}' }, { standard: noFit, plain: plainNoFit }],
    [
      'no signature',
      { without: ['webhook-signature', 'x-acme-signature'] },
      { standard: 'the header webhook-signature is missing', plain: 'the header is missing' },
    ],
    ['an old timestamp', { ageMs: 301_000 }, { standard: tooFar, plain: 'valid' }],
    ['a timestamp of the future', { ageMs: -302_000 }, { standard: tooFar, plain: 'valid' }],
    [
      'a second signature while the secret rotates',
      { before: 'v1,bm90IHRoaXMgb25l ' },
      { standard: 'valid', plain: 'valid' },
    ],
    [
      'a timestamp that is none',
      { timestamp: 'now' },
      { standard: 'webhook-timestamp is not a number of seconds', plain: 'valid' },
    ],
  ])('tells %s', async (_, change, signatures) => {
    const { url, listener } = await startListener('--secret', secret);
    const { status } = await post(url, change);
    expect(await received(listener, 1)).toMatchObject({ signatures, answered_status: status });
    expect(status).toBe(signatures.standard === 'valid' ? 200 : 401);
  });

  it('refuses a branded signature that is wrong, and does without one', async () => {
    const { url } = await startListener('--secret', secret);
    expect((await post(url, { plain: 'f'.repeat(64) })).status).toBe(401);
    expect((await post(url, { without: ['x-acme-signature'] })).status).toBe(200);
  });

  it('refuses before it fails, and tells people', async () => {
    const listener = startHere(['listen', '--port', '0', '--secret', secret, '--fail', '1']);
    const url = await urlOf(listener);
    const refusal = await post(url, { body: '{}' });
    expect([refusal.status, await refusal.text()]).toEqual([
      401,
      'It is not signed with the secret of this receiver.\n',
    ]);
    await listener.line(/ → 401, refused: it is not signed with this secret$/);
    await listener.line(/webhook-signature no signature in webhook-signature fits/);
  });

  it('fails the first attempts of each id as it was told', async () => {
    const { url } = await startListener('--fail', '2', '--status', '429');
    const statuses = [];
    for (const id of ['evt_1', 'evt_2', 'evt_1', 'evt_1', 'evt_2', 'evt_2', 'evt_1']) {
      statuses.push(`${id} ${(await post(url, { id })).status}`);
    }
    expect(statuses).toEqual([
      'evt_1 429',
      'evt_2 429',
      'evt_1 429',
      'evt_1 200',
      'evt_2 429',
      'evt_2 200',
      'evt_1 200',
    ]);
  });

  it('prints for people without a byte that a terminal would obey', async () => {
    const listener = startHere(['listen', '--port', '0']);
    const url = await urlOf(listener);
    await post(url, { body: '{"a":\n"\u001b[31m\u202e\u009b"}', id: 'evt_1' });
    await listener.line(/·\[31m··/);
    listener.stop();
    const { stdout, stderr } = await listener.ended;
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(stdout).toMatch(
      /^\S+Z POST \/hook\?a=1 → 200\n {2}contact\.created evt_1, attempt 1\n {2}webhook-signature unchecked, X-…-Signature unchecked\n/,
    );
    expect(stderr).toContain('Without --secret no signature is verified.\n');
  });

  it('refuses a body over 1 MiB', async () => {
    const { url } = await startListener();
    const status = await fetch(url, { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1) }).then(
      (answer) => answer.status,
      () => 413,
    );
    expect(status).toBe(413);
    expect((await post(url, {})).status).toBe(200);
  });

  it('says when the port is taken', async () => {
    const { url } = await startListener();
    const { port } = new URL(url);
    const { code, stderr } = await startHere(['listen', '--port', port]).ended;
    expect(code).toBe(1);
    expect(stderr).toContain(
      `posthorn: --port ${port} is taken on 127.0.0.1 (EADDRINUSE): end what listens there, or `,
    );
  });
});

async function startListener(...args: string[]): Promise<{ url: string; listener: RunningHere }> {
  const listener = startHere(['listen', '--port', '0', '--json', ...args]);
  return { listener, url: await urlOf(listener) };
}

async function urlOf(listener: RunningHere): Promise<string> {
  const line = await listener.line(/^Receiver listening on http:\/\/127\.0\.0\.1:\d+$/);
  return /http:\S+/.exec(line)?.[0] ?? '';
}

interface Change {
  id?: string;
  /** Sent instead of the body that was signed. */
  body?: string;
  without?: string[];
  plain?: string;
  ageMs?: number;
  before?: string;
  timestamp?: string;
}

/** Posts a delivery, signed by the public package and by hand. */
function post(url: string, change: Change): Promise<Response> {
  const id = change.id ?? 'evt_1';
  const at = new Date(Date.now() - (change.ageMs ?? 0));
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': change.timestamp ?? String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': (change.before ?? '') + new Webhook(secret).sign(id, at, body),
    'x-acme-signature': change.plain ?? createHmac('sha256', secret).update(body).digest('hex'),
    'x-acme-event': 'contact.created',
  };
  for (const name of change.without ?? []) delete headers[name];
  return fetch(`${url}/hook?a=1`, { method: 'POST', headers, body: change.body ?? body });
}

async function received(listener: RunningHere, attempt: number): Promise<Record<string, unknown>> {
  return JSON.parse(await listener.line(new RegExp(`^\\{.*"attempt":${attempt},`))) as Record<string, unknown>;
}
