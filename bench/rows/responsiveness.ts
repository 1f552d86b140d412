import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { type Figure, plainFigure, type Row } from '../row.ts';
import { quantile } from '../samples.ts';
import { authorization, type Server } from '../server.ts';
import { openSink } from '../sink/sink.ts';
import type { Stage } from '../stage.ts';
import { copyStored, deliverAll, storeEvents } from '../stored.ts';

const events = 60_000;
const slowCommits = new URL('../slow-commits.ts', import.meta.url).href;
/** Between two calls, as an agent that looks again and again. */
const betweenMs = 10;
const callsMin = 100;
const callP99Ms = 50;
const delayP99Ms = 20;

/** Whether people and agents are answered while everything else is busy. */
export const responsiveness: Row = {
  name: 'responsiveness',
  work: `MCP list_webhook_subscription_logs while ${events.toLocaleString('en')} events are delivered; then the event loop's delay while they are delivered with every commit slowed by 5 ms`,
  bound: 'Calls take turns with deliveries on the main thread, which never waits for the disk.',
  async measure(stage: Stage): Promise<Figure[]> {
    const sink = await openSink(stage);
    const stored = await storeEvents(stage, sink, { events });
    const [subscriptionId = ''] = stored.subscriptionIds;
    const tookMs: number[] = [];
    await deliverAll(stage, sink, await copyStored(stored, join(stage.folder, 'calls')), {
      meanwhile: async (server, delivering) =>
        void tookMs.push(...(await callAgain(server, subscriptionId, delivering))),
    });
    if (tookMs.length < callsMin) throw new Error(`${tookMs.length} calls were made in the time, too few for a p99`);
    stage.progress(`${tookMs.length} calls; now with commits slowed`);
    let delayMs = Number.NaN;
    await deliverAll(stage, sink, await copyStored(stored, join(stage.folder, 'slowed')), {
      nodeArguments: ['--import', slowCommits],
      meanwhile: async (server, delivering) => void (delayMs = await loopDelay(server, delivering)),
    });
    return [
      plainFigure({ what: 'call p50', value: quantile(tookMs, 0.5), unit: 'ms' }, null),
      plainFigure({ what: 'call p99', value: quantile(tookMs, 0.99), unit: 'ms' }, { of: 'value', atMost: callP99Ms }),
      plainFigure({ what: 'delay p99', value: delayMs, unit: 'ms' }, { of: 'value', atMost: delayP99Ms }),
    ];
  },
};

/** Calls the tool one time after the other. Answers how long each call took, in milliseconds. */
async function callAgain(server: Server, subscriptionId: string, delivering: AbortSignal): Promise<number[]> {
  const client = new Client({ name: 'posthorn-bench', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization } };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', server.url), { requestInit }));
  const tookMs: number[] = [];
  while (!delivering.aborted) {
    const startedAt = performance.now();
    const { isError } = await client.callTool({
      name: 'list_webhook_subscription_logs',
      arguments: { subscription_id: subscriptionId },
    });
    tookMs.push(performance.now() - startedAt);
    if (isError) throw new Error('the tool answered an error');
    await pause(betweenMs);
  }
  await client.close();
  return tookMs;
}

async function loopDelay(server: Server, delivering: AbortSignal): Promise<number> {
  await server.says(/commits are slowed/);
  process.kill(server.pid, 'SIGUSR2');
  await new Promise<void>((resolve) => delivering.addEventListener('abort', () => resolve(), { once: true }));
  process.kill(server.pid, 'SIGUSR2');
  const [, ms] = await server.says(/event-loop delay p99: ([\d.]+) ms/);
  return Number(ms);
}
