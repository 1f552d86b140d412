import { expect, test } from 'vitest';
import { makePolicy } from '../../src/net/address.ts';
import type { Answer, Lookup } from '../../src/net/lookup.ts';
import { interfaceAddresses, makeLookup } from '../../src/net/lookup.ts';
import { lookupMs, makeTargets } from '../../src/net/targets.ts';
import { FakeClock } from './receiver.ts';

const policy = makePolicy({
  allowTargets: ['127.0.0.0/8', 'redis'],
  ownHosts: () => [],
  ownAddresses: () => [],
});
function check(url: string, lookup: Lookup) {
  return makeTargets({ policy, clock: new FakeClock(), lookup }).check(url);
}
const answer =
  (...addresses: string[]): Lookup =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

test('a name that resolves to public addresses is allowed', async () => {
  expect(await check('https://Hooks.example.com/in#top', answer('93.184.215.14', '2606:4700::1'))).toEqual({
    allowed: true,
    url: 'https://hooks.example.com/in',
    host: 'hooks.example.com',
    resolves: true,
  });
});

test('one bad answer refuses the set, and the refusal says nothing else', async () => {
  expect(await check('https://hooks.example.com/', answer('93.184.215.14', '10.0.0.5'))).toEqual({ allowed: false });
  expect(await check('https://hooks.example.com/', answer('64:ff9b::a9fe:a9fe'))).toEqual({ allowed: false });
});

test('a name that does not resolve is allowed, and said to be so', async () => {
  const unresolved = { allowed: true, resolves: false };
  expect(await check('https://hooks.example.com/', answer())).toMatchObject(unresolved);
  expect(await check('https://hooks.example.com/', () => Promise.reject(new Error('ENOTFOUND')))).toMatchObject(
    unresolved,
  );
});

test('a resolver that does not answer in time counts as one that has no answer', async () => {
  const clock = new FakeClock();
  const lookup = () => new Promise<Answer[]>(() => {});
  const verdict = makeTargets({ policy, clock, lookup }).check('https://hooks.example.com/');
  expect(clock.waiting).toBe(1);
  clock.advance(lookupMs);
  expect(await verdict).toMatchObject({ allowed: true, resolves: false });
});

test('the timer goes with the answer', async () => {
  const clock = new FakeClock();
  await makeTargets({ policy, clock, lookup: answer('93.184.215.14') }).check('https://hooks.example.com/');
  expect(clock.waiting).toBe(0);
});

test('nothing is resolved for an address, nor for what is refused by its look', async () => {
  const lookup: Lookup = () => {
    throw new Error('asked');
  };
  expect(await check('https://93.184.215.14/', lookup)).toMatchObject({ allowed: true, resolves: true });
  expect(await check('https://printer.local/', lookup)).toEqual({ allowed: false });
});

test("the operator's exceptions hold for answers too", async () => {
  expect(await check('https://hooks.example.com/', answer('127.0.0.1'))).toMatchObject({ allowed: true });
  expect(await check('http://redis:6379/', answer('192.168.0.9'))).toMatchObject({ allowed: true, host: 'redis' });
});

test('the system resolver answers several who ask at once with one question', async () => {
  const lookup = makeLookup();
  const [first, second] = [lookup('localhost'), lookup('localhost')];
  expect(second).toBe(first);
  expect((await first).map(({ address }) => address)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^(127\.|::1)/)]),
  );
  expect(lookup('localhost')).not.toBe(first);
});

test("the machine's own addresses include the loopback", () => {
  expect(interfaceAddresses()).toEqual(expect.arrayContaining(['127.0.0.1']));
});
