import type { SendResult } from '../../src/core/ports/sender.ts';
import { makePolicy } from '../../src/net/address.ts';
import { makeSender } from '../../src/net/sender.ts';
import { realClock } from './receiver.ts';

/**
 * A process of its own that sends what it is told on stdin, all at once, and writes what came of it: memory can only be
 * measured where nothing but the sender lives.
 */

export interface Order {
  /** Wave after wave, each URL of it is sent to `times`, all at once. */
  waves: { urls: string[]; deadlineMs: number }[];
  times: number;
  ca: string;
}
export interface Outcome extends Pick<SendResult, 'error' | 'responseCode'> {
  url: string;
  deadlineMs: number;
  /** From the call to the result, by the wall. */
  tookMs: number;
}
export interface Report {
  outcomes: Outcome[];
  /** By how much the whole process grew at most, as the system counted it: beyond what it took before the first attempt. */
  grownBytesMax: number;
}

const warmUpMs = 300;

async function run({ waves, times, ca }: Order): Promise<Report> {
  const policy = makePolicy({ allowTargets: ['127.0.0.0/8'], ownHosts: () => [], ownAddresses: () => [] });
  // Every name hangs: only addresses lead anywhere.
  const lookup = () => new Promise<never>(() => {});
  const sender = makeSender({ policy, clock: realClock, lookup, ca: [ca], connectionsPerOrigin: 256 });
  const send = async (url: string, deadlineMs: number): Promise<Outcome> => {
    const startedAt = performance.now();
    const { error, responseCode } = await sender.send({ url, headers: [], body: '{}', deadlineMs });
    return { url, deadlineMs, error, responseCode, tookMs: performance.now() - startedAt };
  };
  // One of each first: what is loaded and compiled for it is no growth.
  await Promise.all(waves.flatMap(({ urls }) => urls.map((url) => send(url, warmUpMs))));
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  const outcomes: Outcome[] = [];
  for (const { urls, deadlineMs } of waves) {
    const attempts = urls.flatMap((url) => Array.from({ length: times }, () => send(url, deadlineMs)));
    outcomes.push(...(await Promise.all(attempts)));
  }
  // The peak, which samples could miss.
  const most = process.resourceUsage().maxRSS * 1_024;
  await sender.close();
  return { outcomes, grownBytesMax: most - before };
}

const parts: Buffer[] = [];
for await (const part of process.stdin as AsyncIterable<Buffer>) parts.push(part);
const report = await run(JSON.parse(Buffer.concat(parts).toString()) as Order);
// What still tries to connect would hold it up for seconds.
process.stdout.write(JSON.stringify(report), () => process.exit());
