import { join } from 'node:path';
import { runLoop } from '../loop.ts';
import { openPeers } from '../peers/peers.ts';
import { comparedFigure, type Figure, type Reach, type Row } from '../row.ts';
import { checkSameRequest } from '../same-request.ts';
import { allInTurn } from '../samples.ts';
import { openSink } from '../sink/sink.ts';
import type { Stage } from '../stage.ts';
import { copyStored, deliverAll, loopWork, storeEvents } from '../stored.ts';

const events = 60_000;
const peerEvents = 30_000;
const rounds = 5;
const timesTheBest: Reach = { of: 'ratio', atLeast: 3 };

/** Stored events, one subscription: how fast they are sent, compared with sending alone and with queue libraries. */
export const deliver: Row = {
  name: 'deliver',
  work: `${events.toLocaleString('en')} stored events of 1 KiB to one subscription, default settings on SQLite; the queue libraries deliver ${peerEvents.toLocaleString('en')}, each with the same two signatures and a durable log row`,
  bound:
    'Both cores: most of the main thread goes into writing to sockets and signing, half of the writer thread into commits; what is left is waiting for one another.',
  async measure(stage: Stage): Promise<Figure[]> {
    const work = loopWork(events);
    await checkSameRequest(stage, work);
    const sink = await openSink(stage);
    const peers = await openPeers(stage);
    const stored = await storeEvents(stage, sink, { events });
    const told = (what: string, run: (round: number) => Promise<number>) => async (round: number) => {
      const perSecond = await run(round);
      stage.progress(`round ${round} of ${rounds}: ${what} ${Math.round(perSecond)}/s`);
      return perSecond;
    };
    const byPeer = (peers?.names ?? []).map((peer) => {
      const peerWork = { ...loopWork(peerEvents), url: sink.url };
      return [peer, told(peer, async () => peers?.run(peer, peerWork) ?? 0)] as const;
    });
    const samples = await allInTurn(rounds, {
      Posthorn: told('Posthorn', async (round) =>
        deliverAll(stage, sink, await copyStored(stored, join(stage.folder, `round-${round}`))),
      ),
      'the loop': told('the loop', async () => events / (await runLoop(stage, { ...work, url: sink.url }))),
      ...Object.fromEntries(byPeer),
    });
    return comparisons(new Map(Object.entries(samples)));
  },
};

/** With the loop, and with each of the others; what is asked is asked of the best of them. */
function comparisons(samples: Map<string, number[]>): Figure[] {
  const own = samples.get('Posthorn') ?? [];
  const figures = [...samples]
    .filter(([what]) => what !== 'Posthorn')
    .map(([what, theirs]) => {
      const reach: Reach | null = what === 'the loop' ? { of: 'ratio', atLeast: 0.6 } : null;
      const against = { what, samples: theirs };
      return comparedFigure({ what: 'delivered', unit: '/s', samples: own, against }, reach);
    });
  const [loop, ...peers] = figures;
  const best = peers.toSorted((a, b) => (a.ratio ?? 0) - (b.ratio ?? 0))[0];
  return figures.map((figure) => (figure === best && figure !== loop ? { ...figure, reach: timesTheBest } : figure));
}
