/**
 * The attempts under way. An array whose places are used again, since a `Set` makes a new table for every few dozen that come
 * and go: a table that once was promoted keeps all later ones alive, with whatever they held, until the whole heap is marked.
 */
export class InFlight<T extends object> {
  readonly #places: (T | null)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.length - this.#free.length;
  }

  /** Answers its place, for `remove`. */
  add(attempt: T): number {
    const place = this.#free.pop() ?? this.#places.length;
    this.#places[place] = attempt;
    return place;
  }

  remove(place: number): void {
    this.#places[place] = null;
    this.#free.push(place);
  }

  /** Calls `visit` with each; what is added or removed meanwhile may be left out. */
  forEach(visit: (attempt: T) => void): void {
    for (const attempt of this.#places) if (attempt !== null) visit(attempt);
  }
}
