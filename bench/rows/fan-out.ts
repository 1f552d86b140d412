import { join } from 'node:path';
import { comparedFigure, type Figure, type Row } from '../row.ts';
import { inTurn } from '../samples.ts';
import { openSink } from '../sink/sink.ts';
import type { Stage } from '../stage.ts';
import { copyStored, deliverAll, type Stored, storeEvents } from '../stored.ts';

const events = 1_000;
const subscriptions = 100;
/** As many deliveries as *deliver* makes. */
const eventsToOne = 60_000;
const rounds = 5;

/** Few events for many, compared with many for one. */
export const fanOut: Row = {
  name: 'fan-out',
  work: `${events.toLocaleString('en')} events to ${subscriptions} subscriptions each`,
  bound:
    'Both cores, as in *deliver*, with more for the writer thread: the rows of one endpoint lie scattered over the tables, so each commit writes several times as many pages.',
  async measure(stage: Stage): Promise<Figure[]> {
    const sink = await openSink(stage);
    const wide = await storeEvents(stage, sink, { events, subscriptions });
    const narrow = await storeEvents(stage, sink, { events: eventsToOne });
    const run = (stored: Stored, what: string) => async (round: number) => {
      const copy = await copyStored(stored, join(stage.folder, `${what}-${round}`));
      const perSecond = await deliverAll(stage, sink, copy);
      stage.progress(`round ${round} of ${rounds}: ${what} ${Math.round(perSecond)} deliveries/s`);
      return perSecond;
    };
    const { a, b } = await inTurn(rounds, run(wide, 'fan-out'), run(narrow, 'deliver'));
    const against = { what: 'deliver', samples: b };
    return [comparedFigure({ what: 'delivered', unit: '/s', samples: a, against }, { of: 'ratio', atLeast: 0.9 })];
  },
};
