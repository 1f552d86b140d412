import { readFileSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { schemaText } from '../../src/store/migrate.ts';
import { postgresEngine, sqliteEngine, useDatabase } from '../support/stores.ts';

interface Column {
  name: string;
  type: 'number' | 'text' | 'bytes';
  nullable: boolean;
}
type Schema = Record<string, Column[]>;

const sqliteTypes: Record<string, Column['type']> = { INTEGER: 'number', TEXT: 'text', BLOB: 'bytes' };
const postgresTypes: Record<string, Column['type']> = {
  bigint: 'number',
  integer: 'number',
  smallint: 'number',
  text: 'text',
  bytea: 'bytes',
};
const typescriptTypes: Record<string, Column['type']> = {
  number: 'number',
  Generated: 'number',
  string: 'text',
  Validation: 'text',
  Buffer: 'bytes',
};

function known<T>(types: Record<string, T>, name: string): T {
  const type = types[name];
  if (type === undefined) throw new Error(`a column of type ${name}, which the other engine does not have`);
  return type;
}

function sqliteSchema(db: SqliteDatabase.Database): Schema {
  const tables = db
    .prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    .pluck()
    .all() as string[];
  return Object.fromEntries(
    tables.toSorted().map((table) => {
      const columns = db.pragma(`table_info(${table})`) as {
        name: string;
        type: string;
        notnull: number;
        pk: number;
      }[];
      return [
        table,
        columns.map(({ name, type, notnull, pk }) => ({
          name,
          type: known(sqliteTypes, type.toUpperCase()),
          nullable: notnull === 0 && pk === 0,
        })),
      ];
    }),
  );
}

/** The interface `Tables`, as its source says it. */
function typescriptSchema(): Schema {
  const source = readFileSync(new URL('../../src/store/tables.ts', import.meta.url), 'utf8');
  const interfaces = new Map(
    [...source.matchAll(/^export interface (\w+) \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) => [name, body]),
  );
  const columns = (body: string): Column[] =>
    [...body.matchAll(/(\w+): (\w+)( \| null)?;/g)].map(([, name = '', type = '', nullable]) => ({
      name,
      type: known(typescriptTypes, type),
      nullable: nullable !== undefined,
    }));
  const tables = [...(interfaces.get('Tables') ?? '').matchAll(/^ {2}(\w+): (?:(\w+);|\{(.*?)\};)$/gms)];
  return Object.fromEntries(
    tables
      .map(([, table = '', named, inline = '']): [string, Column[]] => [
        table,
        columns(
          named === undefined
            ? (inline.endsWith('\n') ? inline : `${inline.trim()};`).replaceAll(';;', ';')
            : (interfaces.get(named) ?? ''),
        ),
      ])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const names = (schema: Schema) =>
  Object.fromEntries(Object.entries(schema).map(([table, columns]) => [table, columns.map(({ name }) => name)]));
const indexNames = (text: string) =>
  [...text.matchAll(/^create (?:unique )?index (\w+ on \w+ \(.*\)(?: where .*)?);/gm)].map(([, name]) => name);

describe('the schema', () => {
  const onSqlite = useDatabase(sqliteEngine);
  const onPostgres = useDatabase(postgresEngine);

  async function postgresSchema(): Promise<Schema> {
    const { rows } = await sql<{ table_name: string; column_name: string; data_type: string; is_nullable: string }>`
      select table_name, column_name, data_type, is_nullable from information_schema.columns
      where table_schema = 'public' order by table_name collate "C", ordinal_position`.execute(onPostgres.database.db);
    return Object.fromEntries(
      [...Map.groupBy(rows, (row) => row.table_name)].map(([table, columns]) => [
        table,
        columns.map((row) => ({
          name: row.column_name,
          type: known(postgresTypes, row.data_type),
          nullable: row.is_nullable === 'YES',
        })),
      ]),
    );
  }
  const sqliteFile = () => new SqliteDatabase(onSqlite.database.url.slice('file:'.length), { readonly: true });

  it('has the same tables and columns on both engines', async () => {
    const sqlite = sqliteFile();
    const postgres = await postgresSchema();
    expect(names(postgres)).toEqual(names(sqliteSchema(sqlite)));
    expect(postgres).toEqual(sqliteSchema(sqlite));
    expect(Object.keys(postgres).length).toBeGreaterThan(10);
    sqlite.close();
  });

  it('is what the program thinks it is', async () => {
    expect(typescriptSchema()).toEqual(await postgresSchema());
  });

  it('has the same indexes on both engines, but for the id that ends each index of SQLite by itself', () => {
    const withoutEnd = (text: string) => indexNames(text).map((name) => name?.replace(', id)', ')'));
    expect(withoutEnd(schemaText('postgres'))).toEqual(withoutEnd(schemaText('sqlite')));
    expect(indexNames(schemaText('sqlite'))).not.toContainEqual(expect.stringContaining(', id)'));
    expect(indexNames(schemaText('sqlite')).length).toBeGreaterThan(10);
  });

  it('is in a new database as its file says', () => {
    const built = new SqliteDatabase(':memory:');
    built.exec(schemaText('sqlite'));
    const live = sqliteFile();
    const text = (db: SqliteDatabase.Database) =>
      db.prepare('select type, name, sql from sqlite_master order by type, name').all();
    expect(text(live)).toEqual(text(built));
    built.close();
    live.close();
  });
});
