import { join } from 'node:path';
import { runLoop } from '../loop.ts';
import { comparedFigure, type Figure, type Row } from '../row.ts';
import { checkSameRequest } from '../same-request.ts';
import { inTurn } from '../samples.ts';
import { openSink } from '../sink/sink.ts';
import type { Stage } from '../stage.ts';
import { copyStored, deliverAll, loopWork, storeEvents } from '../stored.ts';

const events = 60_000;
const rounds = 3;

/** Stored events, one subscription: how fast they are sent, compared with sending alone. */
export const deliver: Row = {
  name: 'deliver',
  work: `${events.toLocaleString('en')} stored events of 1 KiB to one subscription, default settings on SQLite`,
  async measure(stage: Stage): Promise<Figure[]> {
    const work = loopWork(events);
    await checkSameRequest(stage, work);
    const sink = await openSink(stage);
    const stored = await storeEvents(stage, sink, { events });
    const { a, b } = await inTurn(
      rounds,
      async (round) => {
        const copy = await copyStored(stored, join(stage.folder, `round-${round}`));
        const perSecond = await deliverAll(stage, sink, copy);
        stage.progress(`round ${round} of ${rounds}: Posthorn ${Math.round(perSecond)} deliveries/s`);
        return perSecond;
      },
      async (round) => {
        const perSecond = events / (await runLoop(stage, { ...work, url: sink.url }));
        stage.progress(`round ${round} of ${rounds}: the loop ${Math.round(perSecond)} requests/s`);
        return perSecond;
      },
    );
    const against = { what: 'the loop', samples: b };
    return [comparedFigure({ what: 'delivered', unit: '/s', samples: a, against }, { of: 'ratio', atLeast: 0.6 })];
  },
};
