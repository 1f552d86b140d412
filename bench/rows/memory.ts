import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { repeatHistory } from '../history.ts';
import { type Figure, plainFigure, type Row } from '../row.ts';
import { startServer } from '../server.ts';
import { openSink } from '../sink/sink.ts';
import type { Stage } from '../stage.ts';
import { storeEvents } from '../stored.ts';
import { until } from '../until.ts';

const due = 1_000_000;
const subscriptions = 100;
const seconds = 20;
const reachMiB = 300;
const firstMsMax = 60_000;

/** What a backlog costs in memory while it is worked off. */
export const memory: Row = {
  name: 'memory',
  work: `${due.toLocaleString('en')} deliveries due, of ${subscriptions} subscriptions: the most that was resident in the first ${seconds} s of delivering them`,
  bound: 'A process holds two deliveries for each of its slots, whatever is due; the rest is code, caches and garbage.',
  async measure(stage: Stage): Promise<Figure[]> {
    const sink = await openSink(stage);
    const stored = await storeEvents(stage, sink, { events: 1, subscriptions });
    repeatHistory(stored.folder, due / subscriptions - 1);
    const before = await sink.received();
    const server = await startServer({ folder: stored.folder });
    stage.later(() => server.stop());
    await until('the first delivery', { everyMs: 5, msMax: firstMsMax }, async () =>
      (await sink.received()) > before ? true : null,
    );
    stage.progress(`delivering for ${seconds} s`);
    await pause(seconds * 1_000);
    const mostMiB = await mostResidentMiB(server.pid);
    const delivered = (await sink.received()) - before;
    await server.stop();
    if (delivered >= due) throw new Error('everything was delivered before the time was over');
    stage.progress(`${delivered} were delivered meanwhile`);
    return [plainFigure({ what: 'resident', value: mostMiB, unit: 'MiB' }, { of: 'value', atMost: reachMiB })];
  },
};

/** As Linux counts it: where there is no /proc, this row fails. */
async function mostResidentMiB(pid: number): Promise<number> {
  const kiB = /^VmHWM:\s*(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kiB === undefined) throw new Error('the system does not tell how much is resident');
  return Number(kiB) / 1_024;
}
