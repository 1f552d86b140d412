import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { builtInNames } from '../../src/core/catalogue.ts';
import { openReceiver, publishTo, type Receiver } from '../receiver.ts';
import { comparedFigure, type Figure, type Row } from '../row.ts';
import { inTurn, quantile } from '../samples.ts';
import { publish, type Server, startServer, subscribe } from '../server.ts';
import { sampleEvent } from '../sample-event.ts';
import type { Stage } from '../stage.ts';

const healthy = 20;
const perSecondEach = 20;
const holes = 5;
const dueEach = 20_000;
/** Longer than an attempt may take: black holes are found down in it, and probed. */
const seconds = 20;
const warmUpSeconds = 3;
const rounds = 5;
const reach = 1.25;

/** One event type for each healthy endpoint; the black holes have the one that is left out. */
const types = builtInNames.filter((name) => name !== sampleEvent.type).slice(0, healthy);

/** What endpoints that never answer cost those that do. */
export const fairness: Row = {
  name: 'fairness',
  work: `${healthy} endpoints at ${perSecondEach} events/s each, alone and beside ${holes} black holes with ${dueEach.toLocaleString('en')} due deliveries each: publish request sent to request received`,
  bound:
    'Each event waits for two commits and its turn on two cores; black holes hold slots until they are found down, of which the last quarter is kept for endpoints that hold few.',
  async measure(stage: Stage): Promise<Figure[]> {
    const receiver = await openReceiver(stage);
    const alone = await prepare(stage, receiver, 'alone', null);
    const beside = await prepare(stage, receiver, 'beside', await openBlackHole(stage));
    const run = (folder: string, what: string) => async (round: number) => {
      const server = await startServer({ folder });
      stage.later(() => server.stop());
      const load = { ...publishTo(server), body, perSecond: healthy * perSecondEach };
      await receiver.measure({ ...load, name: `warm-${what}-${round}`, seconds: warmUpSeconds });
      const took = await receiver.measure({ ...load, name: `${what}-${round}`, seconds });
      await server.stop();
      const [p50, p95] = [quantile(took, 0.5), quantile(took, 0.95)];
      stage.progress(`round ${round} of ${rounds}, ${what}: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
      return p95;
    };
    const { a, b } = await inTurn(rounds, run(alone, 'alone'), run(beside, 'beside'));
    const against = { what: 'alone', samples: a };
    return [comparedFigure({ what: 'p95', unit: 'ms', samples: b, against }, { of: 'ratio', atMost: reach })];
  },
};

/** The events take turns between the endpoints. */
function body(id: string): string {
  const type = types[Number(id.slice(id.lastIndexOf('_') + 1)) % types.length];
  return JSON.stringify({ id, ...sampleEvent, type });
}

/** A database with the healthy endpoints, and with black holes that are owed much when there is a URL for them. */
async function prepare(stage: Stage, receiver: Receiver, name: string, holeUrl: string | null): Promise<string> {
  const folder = join(stage.folder, name);
  const server = await startServer({ folder, environment: { POSTHORN_DISPATCH: 'off' } });
  stage.later(() => server.stop());
  for (const [index, type] of types.entries()) await subscribeTo(server, `${receiver.url}/${index}`, type);
  if (holeUrl !== null) {
    for (let index = 0; index < holes; index++) await subscribe(server, `${holeUrl}/${index}`);
    stage.progress(`storing ${holes * dueEach} deliveries for the black holes`);
    await publish(server, dueEach, holes);
  }
  await server.stop();
  return folder;
}

async function subscribeTo(server: Server, url: string, type: string): Promise<void> {
  await server.ask('POST', '/v1/webhooks/subscribe', { url, events: [type] });
}

/** Takes connections and requests, and never answers. */
async function openBlackHole(stage: Stage): Promise<string> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.resume();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  });
  stage.later(async () => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
}
