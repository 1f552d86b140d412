import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openWitness, readRemains } from '../lives.ts';
import { type Figure, plainFigure, type Row } from '../row.ts';
import { sampleEvent } from '../sample-event.ts';
import { databasePath, pendingCount, type Server, startServer, subscribe } from '../server.ts';
import type { Stage } from '../stage.ts';
import { until } from '../until.ts';

const kills = 200;
const livesMsMin = 150;
const livesMsMax = 400;
const publishers = 4;
const repeatsMax = 64;
const drainMsMax = 120_000;
const toldEvery = 25;

/** What is left of a server that is killed again and again in the middle of its work. */
export const crash: Row = {
  name: 'crash',
  work: `SIGKILL every ${livesMsMin} to ${livesMsMax} ms while events are published and delivered, ${kills} times; compared with what the receiver saw`,
  bound: 'What is in flight when the process dies is sent again: at most what one endpoint may have in flight, 64.',
  async measure(stage: Stage): Promise<Figure[]> {
    const witness = await openWitness(stage);
    const folder = join(stage.folder, 'posthorn');
    const acknowledged: string[] = [];
    let subscriptionId = '';
    for (let life = 0; life < kills; life++) {
      const server = await startServer({ folder });
      stage.later(() => server.kill());
      if (life === 0) subscriptionId = await subscribe(server, witness.url);
      const publishing = Array.from({ length: publishers }, (_, one) =>
        publishUntilGone(server, `life_${life}_${one}`),
      );
      await pause(livesMsMin + Math.random() * (livesMsMax - livesMsMin));
      await server.kill();
      acknowledged.push(...(await Promise.all(publishing)).flat());
      witness.nextLife();
      if ((life + 1) % toldEvery === 0) stage.progress(`${life + 1} kills, ${acknowledged.length} events acknowledged`);
    }
    const last = await startServer({ folder });
    stage.later(() => last.stop());
    await until('the last delivery', { everyMs: 100, msMax: drainMsMax }, async () =>
      (await pendingCount(last, subscriptionId)) === 0 ? true : null,
    );
    await last.stop();
    return judge(acknowledged, witness, readRemains(databasePath(folder)));
  },
};

function judge(
  acknowledged: string[],
  witness: Awaited<ReturnType<typeof openWitness>>,
  { whole, undelivered, logged }: ReturnType<typeof readRemains>,
): Figure[] {
  const { byKilledLife, withinLife } = witness.repeats();
  const none = { of: 'value', atMost: 0 } as const;
  const figure = (what: string, value: number, atMost: number) =>
    plainFigure({ what, value, unit: '' }, { ...none, atMost });
  return [
    plainFigure({ what: 'acknowledged', value: acknowledged.length, unit: 'events' }, null),
    figure('acknowledged and lost', acknowledged.filter((id) => witness.received(id) === 0).length, 0),
    figure('undelivered', undelivered, 0),
    figure('unlogged', acknowledged.filter((id) => witness.received(id) > (logged.get(id) ?? 0)).length, 0),
    figure('faults of integrity_check', whole ? 0 : 1, 0),
    figure('most repeats after one kill', Math.max(0, ...byKilledLife), repeatsMax),
    figure('repeats without a kill', withinLife, 0),
  ];
}

/** Publishes one event after the other until the server is gone. Answers the ids that were acknowledged. */
async function publishUntilGone(server: Server, name: string): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let index = 0; ; index++) {
    const id = `${name}_${index}`;
    try {
      await server.ask('POST', '/v1/events', { id, ...sampleEvent });
      acknowledged.push(id);
    } catch {
      return acknowledged;
    }
  }
}
