/**
 * Which of an endpoint's due deliveries give way to first attempts when a share of `count` is leased: of retries, those
 * that are due the shortest, as far as they fill more than half of it. So a backlog of old retries holds up what was just
 * published for no longer than a share, and is held up by it no more than by half. `due`: longest due first.
 */
export function givingWay<Due extends { attempts: number }>(due: readonly Due[], count: number): Due[] {
  // What was not filled left nothing waiting.
  if (due.length < count) return [];
  return due.filter(({ attempts }) => attempts > 0).slice(Math.ceil(count / 2));
}
