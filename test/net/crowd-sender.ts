import { makePolicy } from '../../src/net/address.ts';
import { makeSender } from '../../src/net/sender.ts';
import { realClock } from './receiver.ts';

/**
 * A process of its own that sends what it is told on stdin, all at once, and writes what came of it: memory can only be
 * measured where nothing but the sender lives.
 */

export interface Order {
  /** Wave after wave, each URL of it is sent to `times` at once. */
  waves: { urls: string[]; deadlineMs: number }[];
  times: number;
  ca: string;
}
export interface Outcome {
  url: string;
  deadlineMs: number;
  error: string | null;
  responseCode: number | null;
  /** From the call to the result, by the wall. */
  tookMs: number;
}
export interface Report {
  outcomes: Outcome[];
  /** The most that was held at once, beyond what was held before the first attempt. */
  grownBytesMax: number;
}

/** What JavaScript and its buffers hold. Garbage is not held, and how much of it lies about is V8's choice. */
function heldBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function run({ waves, times, ca }: Order): Promise<Report> {
  const policy = makePolicy({ allowTargets: ['127.0.0.0/8'], ownHosts: () => [], ownAddresses: () => [] });
  // Every name hangs: only addresses lead anywhere.
  const lookup = () => new Promise<never>(() => {});
  const sender = makeSender({ policy, clock: realClock, lookup, ca: [ca], connectionsPerOrigin: 256 });
  await sender.send({ url: waves[0]?.urls[0] ?? '', headers: [], body: '{}', deadlineMs: 100 });
  const before = heldBytes();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, heldBytes());
  }, 250);
  const send = async (url: string, deadlineMs: number): Promise<Outcome> => {
    const startedAt = performance.now();
    const { error, responseCode } = await sender.send({ url, headers: [], body: '{}', deadlineMs });
    return { url, deadlineMs, error, responseCode, tookMs: performance.now() - startedAt };
  };
  const outcomes: Outcome[] = [];
  for (const { urls, deadlineMs } of waves) {
    const attempts = urls.flatMap((url) => Array.from({ length: times }, () => send(url, deadlineMs)));
    outcomes.push(...(await Promise.all(attempts)));
    most = Math.max(most, heldBytes());
  }
  clearInterval(watch);
  await sender.close();
  return { outcomes, grownBytesMax: most - before };
}

const parts: Buffer[] = [];
for await (const part of process.stdin as AsyncIterable<Buffer>) parts.push(part);
const report = await run(JSON.parse(Buffer.concat(parts).toString()) as Order);
process.stdout.write(JSON.stringify(report));
