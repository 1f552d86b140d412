import type { DueEndpoint } from '../ports/journey-store.ts';
import { afterAnswer, isDown, type PaceOutcome } from '../rules/pace.ts';
import type { Ready } from './attempts.ts';
import { aheadMin, isHungry, type Lane, leaseAhead, openLane } from './lane.ts';
import { Turns } from './turns.ts';

/** Lanes without work that remember a pace, and those that remember nothing but that the store had more. */
const idleLanesMax = 10_000;
const idleDeepLanesMax = 1_000;
/** What may be leased: deliveries a slot, sent or not, and characters of data that is not sent, so many small events or few
 * large. Where many lanes share it, fewer take part in each claim the less it is, with larger shares: a commit writes fewer
 * pages. */
const leasedMax = { perSlot: 2, chars: 64 * 1_024 * 1_024 };
/** Endpoints of which nothing is leased get one beyond that, so that a crowd of slow ones does not shut out a new one; up to
 * here, for they may be many. */
const leasedOneEachMax = { perSlot: 16, chars: 256 * 1_024 * 1_024 };

/**
 * What this process holds: leased deliveries by endpoint, and how many attempts are in flight. Slots go round the lanes, so
 * that the depth of one lane's queue is nobody else's wait; the last of them are kept for lanes that hold few.
 */
export class Lanes {
  readonly #byEndpoint = new Map<number, Lane>();
  readonly #turns = new Turns();
  readonly #byWorkspace = new Map<number, number>();
  readonly #slots: number;
  readonly #laneSlots: number;
  readonly #keptForFew: number;
  readonly #keptForOthers: number;
  inFlight = 0;
  readyCount = 0;
  #heldChars = 0;

  constructor(options: { slots: number; laneSlots: number }) {
    this.#slots = options.slots;
    this.#laneSlots = options.laneSlots;
    // One endpoint may always reach its own maximum, and one workspace too while it is alone.
    this.#keptForFew = Math.min(Math.floor(options.slots / 4), options.slots - options.laneSlots);
    this.#keptForOthers = Math.floor(this.#keptForFew / 2);
  }

  /** How many more deliveries to lease, in all. Some are always wanted: a crowd of slow endpoints must not shut out a new one. */
  get wanted(): number {
    return Math.max(this.#laneSlots, this.#slots * leasedMax.perSlot - this.inFlight - this.readyCount);
  }

  /** How many endpoints have a lane. */
  get count(): number {
    return this.#byEndpoint.size;
  }

  /** When a lane may go on whose pace holds it, epoch milliseconds; null when no lane waits for that. */
  get gateAt(): number | null {
    return this.#turns.gateAt;
  }

  /** How many more of this endpoint's deliveries may be leased; the lane counts as asked for when there is room. */
  room(endpoint: DueEndpoint, now: number): number {
    const lane = this.#lane(endpoint);
    lane.more = true;
    const room = this.#room(lane, now);
    lane.more = room <= 0;
    return room;
  }

  #room(lane: Lane, now: number): number {
    const held = lane.inFlight + lane.ready.length;
    if (!this.#holdsLess(leasedMax)) return held === 0 && this.#holdsLess(leasedOneEachMax) ? 1 : 0;
    if (isDown(lane.pace) || lane.pace.backSince !== null) return Math.max(0, lane.pace.window - held);
    // A few at a time would cost a transaction each.
    if (held > 0 && !isHungry(lane)) return 0;
    const ahead = lane.pace.failures > 0 ? 0 : leaseAhead(lane, this.#slots, now);
    return Math.max(0, lane.pace.window + ahead - held);
  }

  #holdsLess({ perSlot, chars }: typeof leasedMax): boolean {
    return this.inFlight + this.readyCount < this.#slots * perSlot && this.#heldChars < chars;
  }

  isDeep(endpoint: DueEndpoint): boolean {
    return this.#byEndpoint.get(endpoint.id)?.deep ?? false;
  }

  /** The store had no more for the endpoint than it gave. */
  exhausted(endpointId: number): void {
    const lane = this.#byEndpoint.get(endpointId);
    if (lane === undefined) return;
    lane.more = false;
    lane.deep = false;
    this.#forgetIdle(lane);
  }

  add(ready: Ready): Lane {
    const { endpointId, workspaceId } = ready.delivery;
    const lane = this.#lane({ id: endpointId, workspaceId, failing: false });
    lane.ready.push(ready);
    this.#turns.add(lane);
    lane.more = true;
    lane.deep = true;
    this.readyCount++;
    this.#heldChars += ready.event.data.length;
    return lane;
  }

  /** The next delivery to send, taking turns between lanes; null when nothing may begin now. */
  next(now: number): { lane: Lane; ready: Ready } | null {
    this.#turns.openGates(now);
    if (this.inFlight >= this.#slots || this.readyCount === 0) return null;
    const lane = this.#turns.next(now, (each) => this.#hasSlotFor(each));
    const ready = lane?.ready.shift();
    if (lane === null || ready === undefined) return null;
    this.#turns.add(lane);
    this.#count(lane, 1);
    this.#unready([ready]);
    return { lane, ready };
  }

  /** An attempt of the lane has ended; `outcome` null: it was never made. */
  ended(lane: Lane, outcome: PaceOutcome | null, now: number): void {
    this.#count(lane, -1);
    if (outcome !== null) lane.pace = afterAnswer(lane.pace, this.#laneSlots, outcome, now);
    if (lane.pace.failures > 0) lane.ahead = aheadMin;
    this.#turns.add(lane);
    this.#forgetIdle(lane);
  }

  /** Lanes with deliveries that are leased and not sent. */
  get loaded(): Lane[] {
    return [...this.#byEndpoint.values()].filter(({ ready }) => ready.length > 0);
  }

  of(endpointId: number): Lane | undefined {
    return this.#byEndpoint.get(endpointId);
  }

  /** Takes all but the first `keep` of what the lane has not sent: the ids of the deliveries, whose leases are given back. */
  takeBack(lane: Lane, keep: number): number[] {
    const taken = lane.ready.splice(keep);
    if (taken.length > 0) lane.more = true;
    this.#unready(taken);
    this.#forgetIdle(lane);
    return taken.map(({ delivery }) => delivery.id);
  }

  /** Empties the queues: the ids of what was leased and not sent. */
  takeUnsent(): number[] {
    const unsent = this.loaded.flatMap((lane) => lane.ready.splice(0).map(({ delivery }) => delivery.id));
    this.#turns.clear();
    this.readyCount = 0;
    this.#heldChars = 0;
    return unsent;
  }

  #unready(taken: Ready[]): void {
    this.readyCount -= taken.length;
    for (const { event } of taken) this.#heldChars -= event.data.length;
  }

  #lane(endpoint: DueEndpoint): Lane {
    const known = this.#byEndpoint.get(endpoint.id);
    if (known !== undefined) return known;
    const lane = openLane(endpoint, this.#laneSlots);
    this.#byEndpoint.set(endpoint.id, lane);
    return lane;
  }

  /** The last slots are for lanes that hold few and are not down, the very last for workspaces that hold less than half. */
  #hasSlotFor(lane: Lane): boolean {
    const free = this.#slots - this.inFlight;
    // Few is less the fewer are free: lanes that answer quickly go on beside those that hang, and more of them find one.
    const few = Math.max(2, free / 8);
    if (free <= this.#keptForFew && (lane.inFlight >= few || isDown(lane.pace))) return false;
    return free > this.#keptForOthers || (this.#byWorkspace.get(lane.workspaceId) ?? 0) < this.#slots / 2;
  }

  #count(lane: Lane, change: 1 | -1): void {
    lane.inFlight += change;
    this.inFlight += change;
    const inWorkspace = (this.#byWorkspace.get(lane.workspaceId) ?? 0) + change;
    if (inWorkspace === 0) this.#byWorkspace.delete(lane.workspaceId);
    else this.#byWorkspace.set(lane.workspaceId, inWorkspace);
  }

  /** A lane without work is kept only while it remembers a pace that is not wide open, or that the store had more for it. */
  #forgetIdle(lane: Lane): void {
    if (lane.inFlight > 0 || lane.ready.length > 0) return;
    const isOpen = lane.pace.window === this.#laneSlots && lane.pace.backSince === null;
    const lanesMax = !isOpen ? idleLanesMax : lane.deep ? idleDeepLanesMax : 0;
    if (this.#byEndpoint.size > lanesMax) this.#byEndpoint.delete(lane.endpointId);
  }
}
