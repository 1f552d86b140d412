import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePolicy } from '../../src/net/address.ts';
import { makeSender, type SenderOptions } from '../../src/net/sender.ts';
import { certificate, listen, type Receiver, realClock, respond } from './receiver.ts';

let receiver: Receiver;
let names: (string | false | null)[];
let protocols: (string | false | null)[];
beforeEach(async () => {
  names = [];
  protocols = [];
  const answer = respond(200, 'ok');
  receiver = await listen(
    (socket: Socket) => {
      if (socket instanceof TLSSocket) {
        names.push((socket as TLSSocket & { servername: string | false }).servername);
        protocols.push(socket.alpnProtocol);
      }
      answer(socket);
    },
    { tls: true },
  );
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await receiver.close();
});

async function sendTo(host: string, options: Partial<SenderOptions> = {}, port = receiver.port) {
  const policy = makePolicy({ allowTargets: ['127.0.0.0/8'], ownHosts: () => [], ownAddresses: () => [] });
  const lookup = async () => [{ address: '127.0.0.1', family: 4 }];
  const sender = makeSender({ policy, clock: realClock, lookup, ...options });
  const result = await sender.send({ url: `https://${host}:${port}/`, headers: [], body: '{}', deadlineMs: 5_000 });
  await sender.close();
  return result;
}

test('a certificate that is trusted and fits the name; the name is told to the server, HTTP/2, which it prefers, is not offered', async () => {
  expect(await sendTo('receiver.example.com', { ca: [certificate] })).toMatchObject({ responseCode: 200, error: null });
  expect(names).toEqual(['receiver.example.com']);
  expect(protocols).toEqual(['http/1.1']);
});

test('an address fits too when the certificate names it', async () => {
  expect(await sendTo('127.0.0.1', { ca: [certificate] })).toMatchObject({ responseCode: 200, error: null });
});

test('a certificate that nobody vouches for', async () => {
  expect(await sendTo('receiver.example.com')).toMatchObject({ responseCode: null, error: 'tls_failed' });
  expect(receiver.received).toBe('');
});

test('not even where the environment turns verification off', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  expect(await sendTo('receiver.example.com')).toMatchObject({ responseCode: null, error: 'tls_failed' });
});

test('a certificate of another name', async () => {
  const result = await sendTo('other.example.com', { ca: [certificate] });
  expect(result).toMatchObject({ responseCode: null, error: 'tls_failed' });
  expect(receiver.received).toBe('');
});

test('a server that speaks no TLS', async () => {
  const plain = await listen(respond(400));
  expect(await sendTo('receiver.example.com', {}, plain.port)).toMatchObject({
    responseCode: null,
    error: 'tls_failed',
  });
  await plain.close();
});
