import type { DueEndpoint } from '../ports/journey-store.ts';
import {
  afterAnswer,
  failingPace,
  isDown,
  openPace,
  type Pace,
  type PaceOutcome,
  startsPerSecond,
} from '../rules/pace.ts';
import type { Ready } from './attempts.ts';

/** One endpoint's part of the work in this process. */
export interface Lane {
  readonly endpointId: number;
  readonly workspaceId: number;
  /** Leased, not sent yet. */
  readonly ready: Ready[];
  /** Attempts whose answer is awaited. */
  inFlight: number;
  pace: Pace;
  /** How many deliveries are leased beyond the window, so that a free slot need not wait for the store. */
  ahead: number;
  /** When it was last found to have used up half of that. */
  leasedAt: number;
  /** Whether the store may hold more that is due and has not been asked for. */
  more: boolean;
  /** Whether it had all that was asked for the last time. */
  deep: boolean;
  /** Attempts that may begin now, where the pace bounds them, and since when that was counted. */
  starts: number;
  startsAt: number;
}

/** What a lane begins with; it doubles whenever the lane uses it up soon, and is nothing while the endpoint fails. */
const aheadMin = 32;
const soonMs = 250;
/** Lanes that wait for nothing but remember a pace. */
const idleLanesMax = 10_000;
/** A bounded pace may save up starts for so long. */
const burstMs = 100;

/**
 * What this process holds: leased deliveries by endpoint, and how many attempts are in flight. Slots go round the lanes, so
 * that the depth of one lane's queue is nobody else's wait; the last of them are kept for lanes that hold few.
 */
export class Lanes {
  readonly #byEndpoint = new Map<number, Lane>();
  /** Lanes with something to send, whose turn is next first: those that merely remember a pace are not walked past. */
  readonly #turns = new Set<Lane>();
  readonly #byWorkspace = new Map<number, number>();
  readonly #slots: number;
  readonly #laneSlots: number;
  readonly #keptForFew: number;
  readonly #keptForOthers: number;
  inFlight = 0;
  readyCount = 0;
  /** When a lane may go on whose pace holds it, epoch milliseconds; null when no lane waits for that. */
  gateAt: number | null = null;

  constructor(options: { slots: number; laneSlots: number }) {
    this.#slots = options.slots;
    this.#laneSlots = options.laneSlots;
    // One endpoint may always reach its own maximum, and one workspace too while it is alone.
    this.#keptForFew = Math.min(Math.floor(options.slots / 4), options.slots - options.laneSlots);
    this.#keptForOthers = Math.floor(this.#keptForFew / 2);
  }

  /** How many more deliveries to lease, in all. Some are always wanted: a crowd of slow endpoints must not shut out a new one. */
  get wanted(): number {
    return Math.max(this.#laneSlots, this.#leasedMax - this.inFlight - this.readyCount);
  }

  /** How many endpoints have a lane. */
  get count(): number {
    return this.#byEndpoint.size;
  }

  get #leasedMax(): number {
    return this.#slots * 4;
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
    if (this.inFlight + this.readyCount >= this.#leasedMax) return held === 0 ? 1 : 0;
    if (isDown(lane.pace) || lane.pace.backSince !== null) return Math.max(0, lane.pace.window - held);
    // A few at a time would cost a transaction each.
    if (held > 0 && !this.isHungry(lane)) return 0;
    const ahead = lane.pace.failures > 0 ? 0 : this.#aheadOf(lane, now);
    return Math.max(0, lane.pace.window + ahead - held);
  }

  /** What a lane uses up soon is leased in larger parts: each lease costs a transaction. */
  #aheadOf(lane: Lane, now: number): number {
    const usedUp = lane.inFlight > 0 && this.isHungry(lane);
    if (usedUp && now - lane.leasedAt < soonMs) lane.ahead = Math.min(this.#slots, lane.ahead * 2);
    if (usedUp) lane.leasedAt = now;
    return lane.ahead;
  }

  /** Whether leasing more for this lane is worth a place in a transaction that is made anyway. */
  isHungry(lane: Lane): boolean {
    return lane.more && lane.ready.length <= lane.ahead / 2;
  }

  /** Whether it is worth a transaction of its own. */
  isStarving(lane: Lane): boolean {
    return lane.more && lane.ready.length <= lane.ahead / 4;
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

  /** Whether what is leased for this lane will probably be sent within moments. */
  isQuick(lane: Lane): boolean {
    return lane.ahead > aheadMin;
  }

  add(ready: Ready): Lane {
    const { endpointId, workspaceId } = ready.delivery;
    const lane = this.#lane({ id: endpointId, workspaceId, failing: false });
    lane.ready.push(ready);
    this.#turns.add(lane);
    lane.more = true;
    lane.deep = true;
    this.readyCount++;
    return lane;
  }

  /** The next delivery to send, taking turns between lanes; null when nothing may begin now. */
  next(now: number): { lane: Lane; ready: Ready } | null {
    this.gateAt = null;
    if (this.inFlight >= this.#slots || this.readyCount === 0) return null;
    for (const lane of this.#turns) {
      if (!this.#hasSlotFor(lane) || !this.#mayBegin(lane, now)) continue;
      const ready = lane.ready.shift();
      this.#turns.delete(lane);
      if (ready === undefined) continue;
      // Its turn comes last now.
      if (lane.ready.length > 0) this.#turns.add(lane);
      this.#count(lane, 1);
      this.readyCount--;
      return { lane, ready };
    }
    return null;
  }

  /** An attempt of the lane has ended; `outcome` null: it was never made. */
  ended(lane: Lane, outcome: PaceOutcome | null, now: number): void {
    this.#count(lane, -1);
    if (outcome !== null) lane.pace = afterAnswer(lane.pace, this.#laneSlots, outcome, now);
    if (lane.pace.failures > 0) lane.ahead = aheadMin;
    this.#forgetIdle(lane);
  }

  /** Empties the queues: the ids of what was leased and not sent. */
  takeUnsent(): number[] {
    const unsent = [...this.#turns].flatMap((lane) => lane.ready.splice(0).map(({ delivery }) => delivery.id));
    this.#turns.clear();
    this.readyCount = 0;
    return unsent;
  }

  #lane(endpoint: DueEndpoint): Lane {
    const known = this.#byEndpoint.get(endpoint.id);
    if (known !== undefined) return known;
    const lane: Lane = {
      endpointId: endpoint.id,
      workspaceId: endpoint.workspaceId,
      ready: [],
      inFlight: 0,
      pace: endpoint.failing ? failingPace() : openPace(this.#laneSlots),
      ahead: aheadMin,
      leasedAt: 0,
      deep: false,
      more: true,
      starts: 1,
      startsAt: 0,
    };
    this.#byEndpoint.set(endpoint.id, lane);
    return lane;
  }

  /** The last slots are for lanes that hold few and are not down, the very last for workspaces that hold less than half. */
  #hasSlotFor(lane: Lane): boolean {
    const free = this.#slots - this.inFlight;
    if (lane.inFlight >= lane.pace.window) return false;
    // Few is less the fewer are free: lanes that answer quickly go on beside those that hang, and more of them find one.
    const few = Math.max(2, free / 8);
    if (free <= this.#keptForFew && (lane.inFlight >= few || isDown(lane.pace))) return false;
    return free > this.#keptForOthers || (this.#byWorkspace.get(lane.workspaceId) ?? 0) < this.#slots / 2;
  }

  /** Takes one start from a lane whose pace is bounded; where there is none, notes when there will be. */
  #mayBegin(lane: Lane, now: number): boolean {
    const perSecond = startsPerSecond(lane.pace, now);
    if (perSecond === null) return true;
    const saved = Math.max(1, (perSecond * burstMs) / 1_000);
    lane.starts = Math.min(saved, lane.starts + (Math.max(0, now - lane.startsAt) * perSecond) / 1_000);
    lane.startsAt = now;
    if (lane.starts >= 1) {
      lane.starts--;
      return true;
    }
    const at = now + Math.ceil(((1 - lane.starts) * 1_000) / perSecond);
    this.gateAt = Math.min(this.gateAt ?? at, at);
    return false;
  }

  #count(lane: Lane, change: 1 | -1): void {
    lane.inFlight += change;
    this.inFlight += change;
    const inWorkspace = (this.#byWorkspace.get(lane.workspaceId) ?? 0) + change;
    if (inWorkspace === 0) this.#byWorkspace.delete(lane.workspaceId);
    else this.#byWorkspace.set(lane.workspaceId, inWorkspace);
  }

  /** A lane without work is kept only while it remembers a pace that is not wide open. */
  #forgetIdle(lane: Lane): void {
    if (lane.inFlight > 0 || lane.ready.length > 0) return;
    const open = lane.pace.window === this.#laneSlots && lane.pace.backSince === null;
    if (open || this.#byEndpoint.size > idleLanesMax) this.#byEndpoint.delete(lane.endpointId);
  }
}
