import type { Pool } from 'pg';
import { queryAgain } from '../query-again.ts';

/**
 * Names of event types as the small integers that rows hold. A name is stored at once, outside of the transaction that
 * needs it: two transactions that insert the same names in different orders would wait for each other, and an id that
 * was rolled back must not stay in memory.
 */
export class TypeIds {
  readonly #pool: Pool;
  readonly #ids = new Map<string, number>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Must be awaited before `of` is asked for these names. */
  async ensure(names: Iterable<string>): Promise<void> {
    const unknown = [...new Set(names)].filter((name) => !this.#ids.has(name)).toSorted();
    if (unknown.length === 0 || (await this.#read(unknown)) === unknown.length) return;
    const missing = unknown.filter((name) => !this.#ids.has(name));
    await queryAgain(
      this.#pool,
      'insert into type_names (name) select unnest($1::text[]) on conflict (name) do nothing',
      [missing],
    );
    await this.#read(missing);
  }

  of(name: string): number {
    const id = this.#ids.get(name);
    if (id === undefined) throw new Error(`the event type ${name} was not made known first`);
    return id;
  }

  /** How many of them exist. */
  async #read(names: string[]): Promise<number> {
    const { rows } = await queryAgain<{ id: number; name: string }>(
      this.#pool,
      'select id, name from type_names where name = any($1)',
      [names],
    );
    for (const { id, name } of rows) this.#ids.set(name, id);
    return rows.length;
  }
}
