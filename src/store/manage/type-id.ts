import { sql } from 'kysely';

/** The number of an event type's name: looked up first, so that an index over the number leads to its rows. */
export function typeId(name: string) {
  return sql<number>`(select id from type_names where name = ${name})`;
}
