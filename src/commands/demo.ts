import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { packageVersion } from '../package.ts';
import { attemptLine, logLines, narrator, type Narrator } from './demo-story.ts';
import { type Delivery, startReceiver } from './receiver.ts';
import { Failed, type Terminal } from './terminal.ts';

const failures = 2;
/** Two retries a second apart, each ±20 %, and some time to start. */
const deadlineMs = 30_000;
const event = { type: 'opportunity.won', data: { id: 'opp_1', name: 'Engine No. 2', value: 12_000, currency: 'AUD' } };

export function demo(terminal: Terminal): Command {
  return new Command('demo')
    .addHelpText(
      'after',
      `
A receiver on this machine fails twice; a subscription is made through MCP; an event is published, signed, retried and
logged. Everything happens in a temporary folder, which is removed at the end.

Examples:
  posthorn demo`,
    )
    .action(() => run(terminal));
}

async function run(terminal: Terminal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-demo-'));
  const signal = AbortSignal.any([terminal.stopSignal(), AbortSignal.timeout(deadlineMs)]);
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const story = narrator(terminal);
  try {
    await tell(story, folder, closers, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    terminal.err('The demo was stopped before it ended.');
    throw new Failed('stopped');
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function tell(
  story: Narrator,
  folder: string,
  closers: (() => Promise<unknown>)[],
  signal: AbortSignal,
): Promise<void> {
  const { url, key } = await startServer(folder, closers);
  story.step(`Posthorn ${packageVersion} started at ${url}, with a new database`);

  let secret: string | null = null;
  const deliveries: Delivery[] = [];
  const enough = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => enough.reject(signal.reason as Error), { once: true });
  const receiver = await startReceiver({
    port: 0,
    secret: () => secret,
    failures,
    failureStatus: 500,
    onDelivery(delivery) {
      deliveries.push(delivery);
      story.say(attemptLine(delivery, story.paint));
      if (deliveries.length > failures) enough.resolve();
    },
  });
  closers.push(() => receiver.close());
  story.step(`A receiver listens at ${receiver.url}; it will fail ${failures} times, then succeed`);

  const agent = await connectAgent(url, key);
  closers.push(() => agent.close());
  const made = await agent.call('create_webhook_subscription', {
    url: `${receiver.url}/hook`,
    events: [event.type],
    description: 'Posthorn demo',
  });
  secret = String(made['secret']);
  story.step(`An agent subscribed it through MCP: create_webhook_subscription → ${String(made['id'])}`);

  const published = await publish(url, key, signal);
  story.step(`The platform published ${event.type} through REST: POST /v1/events → 202 ${published}`);
  await enough.promise;
  story.step('The same event arrived three times, each time signed, until it was taken');

  const logs = await readLog(agent, String(made['id']), signal);
  story.step(`The agent read what happened through MCP: list_webhook_subscription_logs → ${logs.length} rows`);
  for (const line of logLines(logs, story.paint)) story.say(line);
  judge(deliveries, logs);
  story.end('That is the main job: signed, retried, and every attempt can be read. "posthorn serve" runs it for real.');
}

async function startServer(folder: string, closers: (() => Promise<unknown>)[]): Promise<{ url: string; key: string }> {
  const config = loadConfig({
    DATABASE_URL: `file:${join(folder, 'demo.db')}`,
    PORT: '0',
    POSTHORN_ALLOW_TARGETS: '127.0.0.0/8',
    POSTHORN_RETRY_SCHEDULE: '1s,1s',
    POSTHORN_LOG_LEVEL: 'error',
  });
  const { createPosthorn } = await import('../app.ts');
  const posthorn = await createPosthorn(config);
  closers.push(() => posthorn.stop(1_000));
  const { key } = await posthorn.core.bootstrap();
  if (key === null) throw new Error('a new database had a key already');
  await posthorn.startDispatcher();
  const { url } = await posthorn.listen();
  return { url, key };
}

interface Agent {
  call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/** A real MCP client over streamable HTTP. */
async function connectAgent(url: string, key: string): Promise<Agent> {
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const client = new Client(
    { name: 'posthorn-demo', version: packageVersion },
    { versionNegotiation: { mode: 'auto' } },
  );
  const headers = { authorization: `Bearer ${key}` };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit: { headers } }));
  return {
    async call(tool, args) {
      const result = await client.callTool({ name: tool, arguments: args });
      if (result.isError || result.structuredContent === undefined)
        throw new Error(`${tool}: ${JSON.stringify(result.content)}`);
      return result.structuredContent as Record<string, unknown>;
    },
    close: () => client.close(),
  };
}

async function publish(url: string, key: string, signal: AbortSignal): Promise<string> {
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(event),
    signal,
  });
  const { id } = (await answer.json()) as { id: string };
  if (answer.status !== 202) throw new Error(`POST /v1/events answered ${answer.status}`);
  return id;
}

/** The last attempt is logged right after the receiver has seen it: asks until it is there. */
async function readLog(agent: Agent, subscription: string, signal: AbortSignal): Promise<Record<string, unknown>[]> {
  for (;;) {
    signal.throwIfAborted();
    const page = await agent.call('list_webhook_subscription_logs', { subscription_id: subscription });
    const logs = page['logs'] as Record<string, unknown>[];
    if (logs.length > failures) return logs;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The demo is also a check: throws when anything was not as it was told. */
function judge(deliveries: readonly Delivery[], logs: readonly Record<string, unknown>[]): void {
  const signed = deliveries.every(({ verdicts }) => verdicts.standard === 'valid' && verdicts.plain === 'valid');
  if (!signed) throw new Error('a signature was not valid');
  if (new Set(deliveries.map(({ id }) => id)).size !== 1) throw new Error('the attempts had different ids');
  const statuses = logs.map((log) => log['status']).join();
  if (statuses !== 'succeeded,failed,failed') throw new Error(`the log shows ${statuses}`);
}
