import type { Database } from 'better-sqlite3';

/** Names of event types as the small integers that rows hold. Known ones are answered from memory. */
export interface TypeNames {
  idOf(name: string): number;
  nameOf(id: number): string;
  /** After a rollback, an id that was given in the transaction may be given again to another name. */
  forget(): void;
}

export function makeTypeNames(db: Database): TypeNames {
  const insert = db.prepare('insert into type_names (name) values (?) on conflict do nothing');
  const byName = db.prepare<[string], number>('select id from type_names where name = ?').pluck();
  const byId = db.prepare<[number], string>('select name from type_names where id = ?').pluck();
  const ids = new Map<string, number>();
  const names = new Map<number, string>();
  return {
    idOf(name) {
      const known = ids.get(name);
      if (known !== undefined) return known;
      insert.run(name);
      const id = byName.get(name) as number;
      ids.set(name, id);
      return id;
    },
    nameOf(id) {
      const known = names.get(id);
      if (known !== undefined) return known;
      const name = byId.get(id) as string;
      names.set(id, name);
      return name;
    },
    forget() {
      ids.clear();
      names.clear();
    },
  };
}
