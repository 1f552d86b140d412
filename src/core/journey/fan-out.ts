import type { FanOutStep, FanOutWork } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import { fanOutNowMax } from './accept.ts';
import { makeMatcher, type Matcher } from './matcher.ts';

/** Events that one transaction fans out at most: each is read with its payload, of up to 256 KiB. */
const eventsMax = 32;
/** Workspaces whose endpoints are kept from one step to the next. */
const keptMax = 16;

type FanOutPorts = Pick<Ports, 'store' | 'clock' | 'conditions' | 'schemas'>;

/** What is kept of a workspace between its steps. When it is no longer true, the store takes no step that came of it. */
interface Kept {
  matcher: Matcher;
  /** The matcher knows who was active at this time or later. */
  activeAt: number;
  /** The event that was looked at last, and whom it is owed to: of a very wide one, every step asks. */
  last: { eventId: number; owed: number[] } | null;
}

/**
 * Makes the deliveries of events that were too wide to be fanned out when they were published, one transaction's worth
 * at a time, of one workspace after the other. `made` is called after each, and says whether to go on.
 */
export class FanOut {
  readonly #ports: FanOutPorts;
  readonly #made: () => boolean;
  #running: Promise<void> | null = null;
  /** Whose turn it was. Not forgotten between runs: where a workspace's steps fail, those behind it have theirs. */
  #workspaceId = 0;

  constructor(ports: FanOutPorts, made: () => boolean) {
    this.#ports = ports;
    this.#made = made;
  }

  /** Until nothing waits; throws where a step failed. One at a time: two would make the same steps. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { journey } = this.#ports.store;
    const keeps = new Map<number, Kept>();
    for (;;) {
      const works = await journey.nextToFanOut(eventsMax, this.#workspaceId, fanOutNowMax);
      const [first] = works;
      if (first === undefined) return;
      this.#workspaceId = first.workspaceId;
      const kept = await this.#keep(keeps, works);
      const steps = await stepsOf(kept, works, this.#ports.clock.now());
      const current = await Promise.all(steps.map((step) => journey.fanOut(step)));
      if (current.includes(false)) keeps.delete(this.#workspaceId);
      if (!this.#made()) return;
    }
  }

  async #keep(keeps: Map<number, Kept>, works: FanOutWork[]): Promise<Kept> {
    const activeAt = Math.min(...works.map(({ createdAt }) => createdAt));
    const known = keeps.get(this.#workspaceId);
    if (known !== undefined && known.activeAt <= activeAt) return known;
    if (keeps.size >= keptMax) keeps.clear();
    const matchable = await this.#ports.store.journey.matchable(this.#workspaceId, activeAt);
    const kept = { matcher: makeMatcher(matchable, this.#ports), activeAt, last: null };
    keeps.set(this.#workspaceId, kept);
    return kept;
  }
}

/** The next step of each event, as many as make a transaction of sensible size, and one at least. */
async function stepsOf(kept: Kept, works: FanOutWork[], now: number): Promise<FanOutStep[]> {
  const steps: FanOutStep[] = [];
  let left = fanOutNowMax;
  for (const work of works) {
    if (left <= 0) break;
    const { eventId, workspaceId, afterEndpointId } = work;
    if (kept.last?.eventId !== eventId) kept.last = { eventId, owed: await owedOf(kept.matcher, work) };
    const owed = kept.last.owed.filter((id) => id > afterEndpointId);
    const step = owed.slice(0, left);
    left -= step.length;
    steps.push({
      eventId,
      workspaceId,
      matchableVersion: kept.matcher.matchable.version,
      endpointIds: step,
      fromEndpointId: afterEndpointId,
      afterEndpointId: owed.length > step.length ? (step.at(-1) ?? null) : null,
      now,
    });
  }
  return steps;
}

/** Without endpoints that had ceased to be active when it came: what was active then is owed it, as every narrow event is. */
async function owedOf(matcher: Matcher, work: FanOutWork): Promise<number[]> {
  const { endpointIds } = await matcher.match(work);
  const { endpoints } = matcher.matchable;
  const gone = endpoints.filter(({ activeUntil }) => activeUntil !== null && activeUntil < work.createdAt);
  const goneIds = new Set(gone.map(({ id }) => id));
  return endpointIds.filter((id) => !goneIds.has(id));
}
