import { join } from 'node:path';
import { openReceiver, publishTo } from '../receiver.ts';
import type { Figure, Row } from '../row.ts';
import { quantile } from '../samples.ts';
import { sampleEvent } from '../sample-event.ts';
import { startServer, subscribe } from '../server.ts';
import type { Stage } from '../stage.ts';

const perSecond = 500;
const seconds = 30;
const bareSeconds = 10;
/** Before it counts: what is measured is a server that runs, not one that starts. */
const warmUpSeconds = 3;
const reachP50Ms = 5;
const reachP99Ms = 25;

/** Published to received, by one clock: this process publishes and receives. */
export const latency: Row = {
  name: 'latency',
  work: `${perSecond} events/s for ${seconds} s: publish request sent to request received`,
  bound: 'Two commits lie on the way, of the event and of the lease, each behind the group before it.',
  async measure(stage: Stage): Promise<Figure[]> {
    const receiver = await openReceiver(stage);
    const server = await startServer({ folder: join(stage.folder, 'posthorn') });
    stage.later(() => server.stop());
    await subscribe(server, receiver.url);
    const publish = { perSecond, ...publishTo(server) };
    await receiver.measure({ name: 'warm', seconds: warmUpSeconds, ...publish });
    stage.progress(`publishing ${perSecond} events/s for ${seconds} s`);
    const ours = await receiver.measure({ name: 'ours', seconds, ...publish });
    await server.stop();
    stage.progress(`posting to the receiver itself for ${bareSeconds} s`);
    const bare = await receiver.measure({
      name: 'bare',
      perSecond,
      seconds: bareSeconds,
      url: receiver.url,
      headers: (id) => ['webhook-id', id, 'content-type', 'application/json'],
      body: (id) => JSON.stringify({ id, ...sampleEvent }),
    });
    return [figure('p50', 0.5, ours, bare, reachP50Ms), figure('p99', 0.99, ours, bare, reachP99Ms)];
  },
};

function figure(what: string, part: number, ours: number[], bare: number[], atMost: number): Figure {
  const value = quantile(ours, part);
  const against = { what: 'a POST to the receiver itself', value: quantile(bare, part), samples: [] };
  return {
    what,
    value,
    unit: 'ms',
    samples: [],
    against,
    ratio: value / against.value,
    reach: { of: 'value', atMost },
  };
}
