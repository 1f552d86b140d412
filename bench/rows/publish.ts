import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment, startChild } from '../child.ts';
import { runClients } from '../clients/clients.ts';
import { comparedFigure, type Figure, type Reach, type Row } from '../row.ts';
import { inTurn } from '../samples.ts';
import { sampleEvent } from '../sample-event.ts';
import { authorization, startServer, subscribe } from '../server.ts';
import type { Stage } from '../stage.ts';

const bareServer = fileURLToPath(new URL('../bare-server-process.ts', import.meta.url));
const clients = 64;
const arrayLength = 100;
const rounds = 3;
const seconds = 4;
const warmUpSeconds = 2;

/** How fast events are taken, each answered after its commit. */
export const publish: Row = {
  name: 'publish',
  work: `${clients} clients, POST /v1/events with events of 1 KiB one by one, then in arrays of ${arrayLength}; nothing is delivered meanwhile`,
  bound:
    'One by one, the main thread, most of it in HTTP itself, and the commits that 64 clients wait for together; in arrays, JSON on the main thread and inserts on the writer thread, about alike.',
  async measure(stage: Stage): Promise<Figure[]> {
    return [
      await measureBodies(stage, 'one by one', 1, { of: 'ratio', atLeast: 0.5 }),
      await measureBodies(stage, `in arrays of ${arrayLength}`, arrayLength, { of: 'value', atLeast: 25_000 }),
    ];
  },
};

async function measureBodies(stage: Stage, what: string, events: number, reach: Reach): Promise<Figure> {
  const body = JSON.stringify(events === 1 ? sampleEvent : Array.from({ length: events }, () => sampleEvent));
  const run = async (url: string) => {
    const headers = { authorization, 'content-type': 'application/json' };
    const answers = await runClients(stage, {
      url: `${url}/v1/events`,
      headers,
      body,
      clients,
      warmUpSeconds,
      seconds,
    });
    return answers * events;
  };
  const { a, b } = await inTurn(
    rounds,
    async (round) => {
      const folder = join(stage.folder, `${events}-${round}`);
      const server = await startServer({ folder, environment: { POSTHORN_DISPATCH: 'off' } });
      stage.later(() => server.stop());
      await subscribe(server, 'http://127.0.0.1:9/hooks');
      const perSecond = await run(server.url);
      await server.stop();
      stage.progress(`round ${round} of ${rounds}, ${what}: Posthorn ${Math.round(perSecond)} events/s`);
      return perSecond;
    },
    async (round) => {
      const server = startChild(process.execPath, [bareServer], { environment: childEnvironment({}) });
      stage.later(() => server.stop());
      const [, url = ''] = await server.says('stderr', /listening on (http:\S+)/);
      const perSecond = await run(url);
      await server.stop();
      stage.progress(
        `round ${round} of ${rounds}, ${what}: the server without a store ${Math.round(perSecond)} events/s`,
      );
      return perSecond;
    },
  );
  const against = { what: 'the same server without a store', samples: b };
  return comparedFigure({ what, unit: 'events/s', samples: a, against }, reach);
}
