/**
 * Which of an endpoint's due deliveries give way to first attempts when a share of `count` is leased: of retries, those
 * that are due the shortest, as far as they fill more than half of it. So a backlog of old retries holds up what was just
 * published for no longer than a share, and is held up by it no more than by half. `due`: longest due first. The odd one
 * of a share goes to either, by the millisecond `now`: what is leased one at a time takes turns too.
 */
export function givingWay<Due extends { attempts: number }>(due: readonly Due[], count: number, now: number): Due[] {
  // What was not filled left nothing waiting.
  if (due.length < count) return [];
  const kept = Math.floor((count + coin(now)) / 2);
  return due.filter(({ attempts }) => attempts > 0).slice(kept);
}

/** Zero or one. Probes come at regular times: unmixed, the parity of these could be the same for hours. */
function coin(now: number): number {
  const mixed = Math.imul(now ^ (now >>> 16), 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) >>> 31;
}
