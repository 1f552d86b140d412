import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makePolicy } from '../../src/net/address.ts';
import { makeConnector } from '../../src/net/connector.ts';
import { attemptErrorOf } from '../../src/net/failure.ts';
import type { Answer, Lookup } from '../../src/net/lookup.ts';
import { FakeClock, listen, type Receiver } from './receiver.ts';

// The guards of a connection, each alone: what is checked before (the URL) is not asked here.

let sentinel: Receiver;
beforeEach(async () => {
  sentinel = await listen(() => {});
});
afterEach(() => sentinel.close());

interface Attempted {
  socket: Socket | null;
  error: Error | null;
}
function connect(
  hostname: string,
  options: { lookup?: Lookup; allow?: string[]; clock?: FakeClock; secure?: boolean } = {},
) {
  const policy = makePolicy({ allowTargets: options.allow ?? [], ownHosts: () => [], ownAddresses: () => [] });
  const lookup = options.lookup ?? (() => Promise.reject(new Error('asked')));
  const connector = makeConnector({ policy, lookup, clock: options.clock ?? new FakeClock(), connectMs: 5_000 });
  const protocol = options.secure === true ? 'https:' : 'http:';
  return new Promise<Attempted>((resolve) => {
    connector({ hostname, host: hostname, protocol, port: String(sentinel.port) }, (error, socket) => {
      resolve({ socket, error });
    });
  });
}
const reason = ({ error }: Attempted) => (error === null ? null : attemptErrorOf(error));
const answer =
  (...addresses: string[]): Lookup =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

/** Connections are accepted in their order: when this one is counted, so are all before it. */
async function hitsBefore(): Promise<number> {
  const { socket } = await connect('127.0.0.1', { allow: ['127.0.0.1'] });
  const greeted = new Promise((resolve) => socket?.once('close', resolve));
  socket?.end('x');
  await expect.poll(() => sentinel.received).toContain('x');
  socket?.destroy();
  await greeted;
  return sentinel.connections - 1;
}

test('the sentinel can be hit, by address and by name', async () => {
  const byAddress = await connect('127.0.0.1', { allow: ['127.0.0.1'] });
  const byName = await connect('hooks.example.com', { allow: ['127.0.0.1'], lookup: answer('127.0.0.1') });
  expect([byAddress.error, byName.error]).toEqual([null, null]);
  for (const { socket } of [byAddress, byName]) socket?.destroy();
  expect(await hitsBefore()).toBe(2);
});

test.each(['127.0.0.1', '127.0.0.2', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::'])(
  'the literal %s, which Node never asks lookup about, is refused before it is dialled',
  async (literal) => {
    expect(reason(await connect(literal))).toBe('target_not_allowed');
    expect(await hitsBefore()).toBe(0);
  },
);

test.each([
  [['127.0.0.1']],
  [['93.184.215.14', '127.0.0.1']],
  [['127.0.0.1', '93.184.215.14']],
  [['::ffff:127.0.0.1']],
])('the answers %j are refused whole before one is dialled', async (addresses) => {
  expect(reason(await connect('hooks.example.com', { lookup: answer(...addresses) }))).toBe('target_not_allowed');
  expect(await hitsBefore()).toBe(0);
});

describe('what was connected to is looked at again', () => {
  test('when the system turns an allowed address into another', async () => {
    // 0.0.0.0 connects to 127.0.0.1, which is not allowed here.
    expect(reason(await connect('0.0.0.0', { allow: ['0.0.0.0'] }))).toBe('target_not_allowed');
    await expect.poll(() => sentinel.connections).toBe(1);
    expect(sentinel.received).toBe('');
  });

  test('when the resolver says one thing to us and another to Node; TLS is not begun', async () => {
    let reads = 0;
    const lie = {
      get address() {
        reads += 1;
        return reads === 1 ? '93.184.215.14' : '127.0.0.1';
      },
      family: 4,
    };
    const lying = await connect('hooks.example.com', { lookup: async () => [lie], secure: true });
    expect(reason(lying)).toBe('target_not_allowed');
    await expect.poll(() => sentinel.connections).toBe(1);
    expect(sentinel.received).toBe('');
  });
});

test('a name without answers, or a resolver that fails', async () => {
  expect(reason(await connect('hooks.example.com', { lookup: answer() }))).toBe('dns_failed');
  const failing = () => Promise.reject(new Error('EAI_AGAIN'));
  expect(reason(await connect('hooks.example.com', { lookup: failing }))).toBe('dns_failed');
});

test('a resolver and a TLS server that never answer end with the connect timeout', async () => {
  const clock = new FakeClock();
  const silent = connect('hooks.example.com', { clock, lookup: () => new Promise<Answer[]>(() => {}) });
  clock.advance(5_000);
  expect(reason(await silent)).toBe('timeout');

  const hanging = connect('127.0.0.1', { clock, allow: ['127.0.0.1'], secure: true });
  await expect.poll(() => sentinel.received).not.toBe('');
  clock.advance(5_000);
  expect(reason(await hanging)).toBe('timeout');
  expect(clock.waiting).toBe(0);
});
