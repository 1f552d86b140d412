import { join } from 'node:path';
import { openReceiver, publishTo } from '../receiver.ts';
import { type Figure, plainFigure, type Row } from '../row.ts';
import { quantile } from '../samples.ts';
import { startServer, subscribe } from '../server.ts';
import type { Stage } from '../stage.ts';

/** Seldom enough that the sender sleeps between events, and not in step with anything that it does by the clock. */
const perSecond = 17;
const seconds = 20;
const warmUpSeconds = 2;
const reachMs = 100;

/** How soon one process sends what another stored. */
export const wake: Row = {
  name: 'wake',
  work: `${perSecond} events/s published by one process and sent by another on the same SQLite file, for ${seconds} s`,
  bound: 'The sender looks every 25 ms whether another process has committed.',
  async measure(stage: Stage): Promise<Figure[]> {
    const receiver = await openReceiver(stage);
    const folder = join(stage.folder, 'posthorn');
    const publisher = await startServer({ folder, environment: { POSTHORN_DISPATCH: 'off' } });
    stage.later(() => publisher.stop());
    const sender = await startServer({ folder });
    stage.later(() => sender.stop());
    await subscribe(publisher, receiver.url);
    const load = { perSecond, ...publishTo(publisher) };
    await receiver.measure({ name: 'warm', seconds: warmUpSeconds, ...load });
    stage.progress(`publishing ${perSecond} events/s for ${seconds} s`);
    const took = await receiver.measure({ name: 'wake', seconds, ...load });
    return [
      plainFigure({ what: 'p50', value: quantile(took, 0.5), unit: 'ms' }, null),
      plainFigure({ what: 'p99', value: quantile(took, 0.99), unit: 'ms' }, { of: 'value', atMost: reachMs }),
    ];
  },
};
