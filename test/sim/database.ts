import SqliteDatabase, { type Database, type Statement } from 'better-sqlite3';
import { deliveryState, errorCode } from '../../src/store/tables.ts';
import { schemaText } from '../../src/store/migrate.ts';

const { pending, leased, succeeded, failed, canceled } = deliveryState;

/** Rows that must never be, noted by the database itself, and failures counted past the program. */
const watches = `
  create temp table broken (sentence text not null);
  create temp table counted (endpoint_id integer primary key, failures integer not null);
  create temp trigger states before update of state, worker_id on deliveries when
    (old.state = ${leased} and new.state = ${leased} and old.worker_id is not new.worker_id)
    or (old.state = ${canceled} and new.state <> ${canceled})
    or (old.state in (${succeeded}, ${failed}) and new.state in (${leased}, ${canceled}))
    or (old.state = ${pending} and new.state in (${succeeded}, ${failed}))
  begin insert into broken values ('no delivery goes from state ' || old.state || ' to ' || new.state); end;
  create temp trigger counting after insert on attempts when new.is_test = 0 and new.error is not ${errorCode('interrupted')}
  begin
    insert or ignore into counted values (new.endpoint_id, 0);
    update counted set failures = case when new.error is null then 0 else failures + 1 end where endpoint_id = new.endpoint_id;
  end;
  create temp trigger forgetting after update of updated_at on endpoints when new.failure_count = 0
  begin update counted set failures = 0 where endpoint_id = new.id; end;`;

let shared: Database | null = null;
const statements = new Map<string, Statement>();

/**
 * One real SQLite in memory for all runs and, in them, for all processes: what they do is taken in turn, as the file's lock
 * would have it. Compiling each statement once makes a run ten times as fast.
 */
export function freshDatabase(): Database {
  shared ??= prepare();
  if (shared.inTransaction) shared.exec('rollback');
  const tables = shared.prepare<[], string>("select name from sqlite_master where type = 'table'").pluck();
  shared.pragma('foreign_keys = off');
  for (const table of [...tables.all(), 'broken', 'counted']) statement(shared, `delete from ${table}`).run();
  shared.pragma('foreign_keys = on');
  return shared;
}

function prepare(): Database {
  const db = new SqliteDatabase(':memory:');
  db.exec(schemaText('sqlite'));
  db.exec(watches);
  return db;
}

function statement(db: Database, text: string): Statement {
  const known = statements.get(text);
  if (known !== undefined) return known;
  const made = db.prepare(text);
  statements.set(text, made);
  return made;
}

/** The same connection; `before` is called with each statement that writes or ends a transaction, and may throw. */
export function guarded(db: Database, before: (text: string) => void): Database {
  return new Proxy(db, {
    get(target, key) {
      if (key === 'prepare') {
        return (text: string) => {
          const made = statement(target, text);
          return /^\s*(insert|update|delete|begin|commit)/i.test(text)
            ? guardedStatement(made, () => before(text))
            : made;
        };
      }
      if (key === 'exec') {
        return (text: string) => {
          before(text);
          return target.exec(text);
        };
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function guardedStatement(made: Statement, before: () => void): Statement {
  return new Proxy(made, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (key !== 'run' && key !== 'get' && key !== 'all') return value.bind(target);
      return (...parameters: unknown[]) => {
        before();
        return value.apply(target, parameters);
      };
    },
  });
}
