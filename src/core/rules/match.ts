/**
 * Whether an endpoint that chose `patterns` wants an event of this type. A pattern is a name (`contact.created`), a
 * family (`contact.*`: everything below `contact.`), or `*`.
 */
export function wants(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) => matches(pattern, type));
}

export function matches(pattern: string, type: string): boolean {
  if (pattern === '*' || pattern === type) return true;
  return pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1));
}

/** The names that are most like a wrong one, best first: what an error suggests. */
export function nearest(wrong: string, names: readonly string[], countMax = 3): string[] {
  const sought = wrong.toLowerCase();
  const distanceMax = Math.min(8, Math.max(3, Math.floor(sought.length / 3)));
  return names
    .filter((name) => Math.abs(name.length - sought.length) <= distanceMax)
    .map((name) => ({ name, distance: editDistance(sought, name) }))
    .filter(({ distance }) => distance <= distanceMax)
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, countMax)
    .map(({ name }) => name);
}

/** The sentence about a name that is none: what was sent, and the nearest right ones. */
export function unknownName(wrong: string, names: readonly string[]): string {
  const near = nearest(wrong, names);
  const hint = near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`;
  return `${JSON.stringify(wrong.slice(0, 100))} is not an event type of the catalogue.${hint}`;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
