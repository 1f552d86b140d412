import { performance } from 'node:perf_hooks';
import SqliteDatabase, { type Database, type Statement } from 'better-sqlite3';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { schemaText } from '../../src/store/migrate.ts';
import { dueReads } from '../../src/store/sqlite/due.ts';
import { makeOperations } from '../../src/store/sqlite/journey/operations.ts';
import { testLimits } from '../support/stores.ts';

const rounds = 9;
const runs = 200;

function databaseWith(schema: string): Database {
  const db = new SqliteDatabase(':memory:');
  onTestFinished(() => void db.close());
  db.exec(schema);
  return db;
}

/** The reads and changes that `make` prepares. An insert would need rows to refer to, and has nothing to be planned. */
function preparedBy(make: (db: Database) => unknown): { db: Database; statements: Statement[] } {
  const db = databaseWith(schemaText('sqlite'));
  const prepare = vi.spyOn(db, 'prepare');
  make(db);
  const statements = prepare.mock.results.map(({ value }) => value as Statement);
  return { db, statements: statements.filter(({ source }) => /^\s*(select|update)/.test(source)) };
}

/** Something for each of its parameters; a list of ids may be asked for as JSON. */
function parametersOf({ source }: Statement): unknown[] {
  const names = source.match(/(?<=@)\w+/g);
  if (names !== null) return [Object.fromEntries(names.map((name) => [name, '1']))];
  return Array.from(source.matchAll(/\?/g), () => '1');
}

/** Milliseconds; of several rounds the quickest, which no other work on the machine had a part in. */
function quickest(work: () => unknown): number {
  const took = Array.from({ length: rounds }, () => {
    const began = performance.now();
    for (let run = 0; run < runs; run++) work();
    return performance.now() - began;
  });
  return Math.min(...took);
}

/** How long a run takes beside one with all values hidden from the planner, which is never compiled again. */
function besideHidden(db: Database, statement: Statement): number {
  const parameters = parametersOf(statement);
  const run = (which: Statement) => () => (which.reader ? which.all(...parameters) : which.run(...parameters));
  return quickest(run(statement)) / quickest(run(db.prepare(statement.source.replaceAll(/[?@]/g, '+$&'))));
}

// SQLite compiles a statement anew at each run when its plan may depend on a value. Only the time it takes tells.
describe('a prepared statement of the journey is not compiled again', () => {
  it.each([
    ['on the writer', (db: Database) => makeOperations(db, testLimits), 25],
    ['where a claim reads what is due', dueReads, 2],
  ])('%s', (_where, make, countMin) => {
    const { db, statements } = preparedBy(make);
    expect(statements.length).toBeGreaterThanOrEqual(countMin);
    const again = statements.filter((statement) => besideHidden(db, statement) > 2).map(({ source }) => source);
    expect(again).toEqual([]);
  });

  it('which this would notice', () => {
    const db = databaseWith(
      'create table things (id integer primary key, kind integer, due_at integer); create index due on things (kind, due_at);',
    );
    for (const source of [
      'select id from things where kind = ? and due_at <= ? order by due_at',
      'select id from things order by id desc limit ?',
    ]) {
      expect(besideHidden(db, db.prepare(source))).toBeGreaterThan(2);
    }
  });
});
