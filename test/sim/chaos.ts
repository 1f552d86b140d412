import type { SeededRandom } from './random.ts';

/** What may go wrong in one run. A class that is off allows stricter promises. */
export interface Chaos {
  kills: boolean;
  pauses: boolean;
  jumps: boolean;
  diskFaults: boolean;
  /** Part of the transactions that fail while the disk is bad. */
  faultPart: number;
  unknownOutcomes: boolean;
  badReceivers: boolean;
  /** Many events at once, so that more is leased than can be under way. */
  bursts: boolean;
  /** People pause, delete, change, replay, erase. */
  people: boolean;
  processes: number;
  /** One process publishes and does not deliver. */
  publishOnly: boolean;
}

export function chooseChaos(random: SeededRandom): Chaos {
  const calm = random.chance(0.25);
  const maybe = (part: number) => random.chance(part) && !calm;
  return {
    kills: maybe(0.4),
    pauses: maybe(0.3),
    jumps: maybe(0.25),
    diskFaults: maybe(0.4),
    faultPart: random.pick([0.05, 0.2, 0.6]),
    unknownOutcomes: maybe(0.3),
    badReceivers: maybe(0.6),
    bursts: maybe(0.4),
    people: maybe(0.6),
    processes: random.pick([1, 2, 2, 3]),
    publishOnly: random.chance(0.3),
  };
}

/** From here on, nothing more goes wrong: what is owed must come to its end. */
export function endChaos(chaos: Chaos): void {
  chaos.kills = false;
  chaos.pauses = false;
  chaos.jumps = false;
  chaos.diskFaults = false;
  chaos.unknownOutcomes = false;
}

/** Whether a delivery may be sent again after it succeeded, without anybody asking for it. */
export function allowsRepeats({ kills, pauses, jumps, diskFaults }: Chaos): boolean {
  return kills || pauses || jumps || diskFaults;
}
