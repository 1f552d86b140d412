import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePolicy } from '../../src/net/address.ts';
import type { Lookup } from '../../src/net/lookup.ts';
import { makeSender } from '../../src/net/sender.ts';
import { makeTargets } from '../../src/net/targets.ts';
import { type Case, corpus } from './hostile-urls.ts';
import { listen, type Receiver, realClock, respond } from './receiver.ts';

const blocked = corpus.filter(({ verdict }) => verdict === 'block');

function answering(next: () => string[]): Lookup {
  return async () => next().map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}
function policy(allowTargets: string[] = []) {
  return makePolicy({ allowTargets, ownHosts: () => ['self.example.net'], ownAddresses: () => [] });
}
const post = (url: string) => ({ url, headers: [], body: '{}', deadlineMs: 10_000 });

describe('at creation', () => {
  test.each(corpus)('$url: $verdict ($why)', async ({ url, verdict, resolves }) => {
    const targets = makeTargets({ policy: policy(), clock: realClock, lookup: answering(() => resolves ?? []) });
    expect((await targets.check(url)).allowed).toBe(verdict === 'allow');
    // Not for the scheme's sake alone.
    const secured = verdict === 'allow' ? url : url.replace(/^http:/, 'https:');
    expect((await targets.check(secured)).allowed).toBe(verdict === 'allow');
  });
});

describe('at connection', () => {
  const sentinels: (Receiver & { host: string })[] = [];
  const hits = () => sentinels.reduce((sum, { connections }) => sum + connections, 0);

  beforeAll(async () => {
    for (const host of ['127.0.0.1', '::1']) {
      // Not every machine has IPv6.
      const sentinel = await listen(respond(200), { host }).catch(() => null);
      if (sentinel !== null) sentinels.push(Object.assign(sentinel, { host }));
    }
  });
  afterAll(() => Promise.all(sentinels.map((sentinel) => sentinel.close())));

  /**
   * How often the sentinels are hit by `run`. Afterwards each is called once without any guard: connections are
   * accepted in their order, so whatever was on its way has been counted by then.
   */
  async function hitsOf(run: () => Promise<void>): Promise<number> {
    const before = hits();
    await run();
    await Promise.all(sentinels.map(touch));
    return hits() - before - sentinels.length;
  }

  function touch({ host, port }: { host: string; port: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port }, () => socket.write('touch'));
      socket.once('error', reject);
      socket.once('data', () => {
        socket.destroy();
        resolve();
      });
    });
  }

  test('the sentinels can be hit, by address and by name, where the operator allows it', async () => {
    const allowing = policy(['127.0.0.1', 'rebind.hooks.example.com']);
    const sender = makeSender({ policy: allowing, clock: realClock, lookup: answering(() => ['127.0.0.1']) });
    const count = await hitsOf(async () => {
      for (const host of ['127.0.0.1', 'rebind.hooks.example.com']) {
        await sender.send(post(`http://${host}:${sentinels[0]?.port}/`));
      }
    });
    expect(count).toBe(2);
    await sender.close();
  });

  /** The URL as it is, and with a sentinel's port in it, so that it would reach one if it reached anything. */
  function variants({ url, stage }: Case): string[] {
    if (stage === 'port') return [url];
    const aimed = sentinels.flatMap(({ port }) =>
      ['http', 'https'].map((scheme) =>
        url.replace(/^https?:(\/\/[^/?#]*?)(:\d+)?(?=[/?#]|$)/, (_all, host: string) => `${scheme}:${host}:${port}`),
      ),
    );
    return [url, ...aimed];
  }

  test.each(blocked)('$url is not dialled ($why)', async (blockedCase) => {
    const lookup = answering(() => blockedCase.resolves ?? ['127.0.0.1', '::1']);
    const sender = makeSender({ policy: policy(), clock: realClock, lookup });
    const results = new Set<string | null>();
    const hitCount = await hitsOf(async () => {
      for (const variant of variants(blockedCase)) results.add((await sender.send(post(variant))).error);
    });
    expect([...results]).toEqual(['target_not_allowed']);
    expect(hitCount).toBe(0);
    await sender.close();
  });

  test('a resolver that flips between creation and connection: 1,000 deliveries, none arrives', async () => {
    const bad = [['127.0.0.1'], ['93.184.215.14', '127.0.0.1'], ['::1'], ['::ffff:127.0.0.1'], ['127.0.0.1', '::1']];
    let asked = 0;
    const lookup = answering(() => {
      asked += 1;
      return asked % 2 === 1 ? ['93.184.215.14'] : (bad[asked % bad.length] ?? []);
    });
    const targets = makeTargets({ policy: policy(), clock: realClock, lookup });
    const sender = makeSender({ policy: policy(), clock: realClock, lookup });
    const url = `https://rebind.hooks.example.com:${sentinels[0]?.port}/`;
    const outcomes = { checked: 0, refused: 0 };
    const hitCount = await hitsOf(async () => {
      for (let delivery = 0; delivery < 1_000; delivery += 1) {
        if ((await targets.check(url)).allowed) outcomes.checked += 1;
        if ((await sender.send(post(url))).error === 'target_not_allowed') outcomes.refused += 1;
      }
    });
    expect(outcomes).toEqual({ checked: 1_000, refused: 1_000 });
    expect(asked).toBe(2_000);
    expect(hitCount).toBe(0);
    await sender.close();
  });
});
