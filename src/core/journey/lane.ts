import type { DueEndpoint } from '../ports/journey-store.ts';
import { failingPace, openPace, type Pace, startsPerSecond } from '../rules/pace.ts';
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
export const aheadMin = 32;
const soonMs = 250;
/** A bounded pace may save up starts for so long. */
const burstMs = 100;

export function openLane(endpoint: DueEndpoint, slots: number): Lane {
  return {
    endpointId: endpoint.id,
    workspaceId: endpoint.workspaceId,
    ready: [],
    inFlight: 0,
    pace: endpoint.failing ? failingPace() : openPace(slots),
    ahead: aheadMin,
    leasedAt: 0,
    deep: false,
    more: true,
    starts: 1,
    startsAt: 0,
  };
}

/** Whether leasing more for this lane is worth a place in a transaction that is made anyway. */
export function isHungry(lane: Lane): boolean {
  return lane.more && lane.ready.length <= lane.ahead / 2;
}

/** Whether it is worth a transaction of its own. */
export function isStarving(lane: Lane): boolean {
  return lane.more && lane.ready.length <= lane.ahead / 4;
}

/** Whether what is leased for this lane will probably be sent within moments. */
export function isQuick(lane: Lane): boolean {
  return lane.ahead > aheadMin;
}

/** How much to lease ahead. What is used up soon is leased in larger parts: each lease costs a transaction. */
export function leaseAhead(lane: Lane, most: number, now: number): number {
  const usedUp = lane.inFlight > 0 && isHungry(lane);
  if (usedUp && now - lane.leasedAt < soonMs) lane.ahead = Math.min(most, lane.ahead * 2);
  if (usedUp) lane.leasedAt = now;
  return lane.ahead;
}

/** Takes one start from a lane whose pace is bounded: null; where there is none, when there will be. */
export function takeStart(lane: Lane, now: number): number | null {
  const perSecond = startsPerSecond(lane.pace, now);
  if (perSecond === null) return null;
  const saved = Math.max(1, (perSecond * burstMs) / 1_000);
  lane.starts = Math.min(saved, lane.starts + (Math.max(0, now - lane.startsAt) * perSecond) / 1_000);
  lane.startsAt = now;
  if (lane.starts < 1) return now + Math.ceil(((1 - lane.starts) * 1_000) / perSecond);
  lane.starts--;
  return null;
}
