import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Writing } from './writer-thread.ts';

/**
 * Kysely over the writer's thread. It does no queueing: whoever opens a transaction must have the thread to himself,
 * which is what `GroupCommit.exclusive` is for.
 */
export function writerDialect(thread: Writing): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new WriterDriver(thread),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class WriterDriver implements Driver {
  readonly #thread: Writing;
  constructor(thread: Writing) {
    this.#thread = thread;
  }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return new WriterConnection(this.#thread);
  }
  async beginTransaction(): Promise<void> {
    await this.#thread.request({ kind: 'begin' });
  }
  async commitTransaction(): Promise<void> {
    await this.#thread.request({ kind: 'commit' });
  }
  async rollbackTransaction(): Promise<void> {
    await this.#thread.request({ kind: 'rollback' });
  }
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

class WriterConnection implements DatabaseConnection {
  readonly #thread: Writing;
  constructor(thread: Writing) {
    this.#thread = thread;
  }
  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const reply = await this.#thread.request({ kind: 'query', sql: query.sql, parameters: query.parameters });
    if (reply.kind !== 'rows') throw new Error('the writer thread gave a reply of another kind');
    const { rows, changes, insertId } = reply.result;
    return {
      rows: rows as R[],
      numAffectedRows: BigInt(changes),
      ...(insertId === null ? {} : { insertId: BigInt(insertId) }),
    };
  }
  // oxlint-disable-next-line require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('the writer thread does not stream');
  }
}
