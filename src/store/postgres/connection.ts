import { type ClientConfig, Pool, types } from 'pg';
import { malformed } from './start-error.ts';

/** A server that does not answer within these is away: the call is answered `store_unavailable`. */
const connectMsMax = 5_000;
const statementMsMax = 15_000;
/** No transaction of ours holds a row for longer than milliseconds; past this, one hangs. */
const lockMsMax = 5_000;
/** A process that stops in the middle of a transaction holds its rows for no longer. */
const idleInTransactionMsMax = 10_000;
/** Beyond the server's own limit, for a connection that is dead without anybody having said so. */
const answerMsMax = statementMsMax + 5_000;

/**
 * What every connection of ours has in common. Throws for a URL that is none; the URL is never in a message, because it
 * holds a password.
 */
export function connectionConfig(url: string): ClientConfig {
  if (!URL.canParse(url) || !/^postgres(ql)?:/.test(url)) throw malformed();
  return {
    connectionString: url,
    application_name: 'posthorn',
    connectionTimeoutMillis: connectMsMax,
    statement_timeout: statementMsMax,
    lock_timeout: lockMsMax,
    idle_in_transaction_session_timeout: idleInTransactionMsMax,
    query_timeout: answerMsMax,
    keepAlive: true,
    types: { getTypeParser: typeParser },
  };
}

/** At most `connectionsMax` connections, opened when they are needed. */
export function openPool(url: string, connectionsMax: number): Pool {
  const pool = new Pool({ ...connectionConfig(url), max: connectionsMax });
  // A connection that breaks says so twice, through its query and by itself: unheard, the second would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return pool;
}

const int8: number = types.builtins.INT8;

/** Ids and times are below 2^53: as numbers, and not as the strings that pg gives for int8. */
function typeParser(oid: number, format?: 'text' | 'binary'): unknown {
  return oid === int8 ? Number : types.getTypeParser(oid, format);
}
