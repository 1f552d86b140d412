import { afterAll, expect, test } from 'vitest';
import { makePolicy } from '../../src/net/address.ts';
import { makeSender } from '../../src/net/sender.ts';
import { bomb, receivers } from './hostile-receivers.ts';
import { certificate, listen, realClock, respond } from './receiver.ts';

/** Each hostile receiver once, on a real socket; `crowd.test.ts` has a hundred of each at once. */

/** For receivers that only the deadline ends, and for those that end before it. */
const shortDeadlineMs = 300;
const longDeadlineMs = 5_000;
/** What a busy machine may add. */
const slackMs = 1_500;
const policy = makePolicy({ allowTargets: ['127.0.0.0/8'], ownHosts: () => [], ownAddresses: () => [] });
const sender = makeSender({ policy, clock: realClock, ca: [certificate] });
afterAll(() => sender.close());

// The bomb is one only if it would pass the limit once it is inflated, and does not before.
test('the bomb is a bomb', () => {
  expect(bomb.length).toBeLessThan(64 * 1_024);
});

test.each(receivers)('$name', async ({ behave, expected, tls = false, ...one }) => {
  const receiver = await listen(behave, { tls });
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${receiver.port}/hook`;
  const endless = one.endless === true || expected.error === 'timeout';
  const deadlineMs = endless ? shortDeadlineMs : longDeadlineMs;
  const result = await sender.send({ url, headers: [], body: '{}', deadlineMs });
  expect(result).toMatchObject(expected);
  expect(result.durationMs >= deadlineMs - 1).toBe(endless);
  expect(result.durationMs).toBeLessThan(deadlineMs + slackMs);
  expect(receiver.connections).toBe(1);
  await receiver.close();
});

test('the bomb is not inflated: the excerpt is the compressed bytes', async () => {
  const receiver = await listen(respond(200, 'x', 'content-encoding: gzip\r\n'));
  const url = `http://127.0.0.1:${receiver.port}/`;
  const result = await sender.send({ url, headers: [], body: '{}', deadlineMs: longDeadlineMs });
  expect(result).toMatchObject({ responseCode: 200, excerpt: Buffer.from('x') });
  await receiver.close();
});
