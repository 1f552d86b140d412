import { nearest } from './core/rules/match.ts';
import { isLoopback, loopbackNames, urlHost } from './config/addresses.ts';
import { ValueFault } from './config/values.ts';
import { type Variable, variables } from './config/variables.ts';

export { variables } from './config/variables.ts';

type Variables = typeof variables;
type Name = keyof Variables;
type ValueOf<V> = V extends Variable<infer T, infer D> ? (D extends null ? T | null : T) : never;

/** The environment, typed. Durations are milliseconds. */
export type Config = {
  /** Names of the variables that the environment sets itself. */
  given: readonly string[];
  databaseUrl: ValueOf<Variables['DATABASE_URL']>;
  host: string;
  port: number;
  /** Null: made from host and port once the port is known. */
  publicUrl: string | null;
  allowedHosts: readonly string[];
  /** As `address/bits`. */
  trustedProxies: readonly string[];
  adminKey: string | null;
  apiKey: string | null;
  /** 32 bytes; null with SQLite when the file beside the database holds it. */
  secretKey: Buffer | null;
  allowTargets: readonly string[];
  brand: string;
  retryScheduleMs: readonly number[];
  attemptTimeoutMs: number;
  disableAfterFailures: number;
  disableAfterMs: number;
  concurrency: number;
  endpointConcurrency: number;
  retentionMs: number;
  newHosts: ValueOf<Variables['POSTHORN_NEW_HOSTS']>;
  toolGroups: ValueOf<Variables['POSTHORN_TOOLS']>;
  readOnly: boolean;
  publishPerMinute: number | null;
  metricsToken: string | null;
  dispatch: boolean;
  logLevel: ValueOf<Variables['POSTHORN_LOG_LEVEL']>;
};

/** A wrong environment. The message is one line that names the variable, the fault and an example. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment, by default the process's own. Throws ConfigError at the first wrong value. `binds`: whether
 * the caller is going to listen on `HOST`, which anything but loopback needs `POSTHORN_ALLOWED_HOSTS` for.
 */
export function loadConfig(env: Environment = process.env, { binds = true } = {}): Config {
  const config = readAll(env);
  if (binds && given(env, 'POSTHORN_ALLOWED_HOSTS') === null && !isLoopback(config.host)) {
    throw wrong('POSTHORN_ALLOWED_HOSTS', `must be given, since HOST=${config.host} can be reached from outside`);
  }
  if (config.secretKey === null && !config.databaseUrl.startsWith('file:')) {
    throw wrong('POSTHORN_SECRET_KEY', 'must be given with PostgreSQL');
  }
  return config;
}

/** One sentence for each variable that looks like ours and is none, with the name that was meant. */
export function unknownVariables(env: Environment = process.env): string[] {
  const names = Object.keys(variables);
  return Object.keys(env)
    .filter((name) => name.startsWith('POSTHORN_') && !names.includes(name))
    .map((name) => {
      const [meant] = nearest(
        name,
        names.map((each) => each.toLowerCase()),
        1,
      );
      const shown = name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 80);
      return `${shown} is not a variable of Posthorn${meant ? `; did you mean ${meant.toUpperCase()}?` : ' and does nothing'}`;
    });
}

/** How this server is reached when `POSTHORN_PUBLIC_URL` does not say. */
export function localUrl(host: string, port: number): string {
  return `http://${urlHost(host)}:${port}`;
}

function readAll(env: Environment): Config {
  const read = <N extends Name>(name: N) => readOne(env, name);
  const host = read('HOST');
  const concurrency = read('POSTHORN_CONCURRENCY');
  return {
    given: (Object.keys(variables) as Name[]).filter((name) => given(env, name) !== null),
    databaseUrl: read('DATABASE_URL'),
    host,
    port: read('PORT'),
    publicUrl: read('POSTHORN_PUBLIC_URL'),
    allowedHosts: read('POSTHORN_ALLOWED_HOSTS') ?? [...new Set([...loopbackNames, host])],
    trustedProxies: read('POSTHORN_TRUSTED_PROXIES') ?? [],
    adminKey: read('POSTHORN_ADMIN_KEY'),
    apiKey: read('POSTHORN_API_KEY'),
    secretKey: read('POSTHORN_SECRET_KEY'),
    allowTargets: read('POSTHORN_ALLOW_TARGETS') ?? [],
    brand: read('POSTHORN_BRAND'),
    retryScheduleMs: read('POSTHORN_RETRY_SCHEDULE'),
    attemptTimeoutMs: read('POSTHORN_ATTEMPT_TIMEOUT'),
    disableAfterFailures: read('POSTHORN_DISABLE_AFTER_FAILURES'),
    disableAfterMs: read('POSTHORN_DISABLE_AFTER'),
    concurrency,
    endpointConcurrency: Math.min(concurrency, read('POSTHORN_ENDPOINT_CONCURRENCY')),
    retentionMs: read('POSTHORN_RETENTION'),
    newHosts: read('POSTHORN_NEW_HOSTS'),
    toolGroups: read('POSTHORN_TOOLS'),
    readOnly: read('POSTHORN_READ_ONLY'),
    publishPerMinute: read('POSTHORN_PUBLISH_RATE'),
    metricsToken: read('POSTHORN_METRICS_TOKEN'),
    dispatch: read('POSTHORN_DISPATCH'),
    logLevel: read('POSTHORN_LOG_LEVEL'),
  };
}

function readOne<N extends Name>(env: Environment, name: N): ValueOf<Variables[N]> {
  const one: Variable<unknown, string | null> = variables[name];
  const text = given(env, name) ?? one.default;
  if (text === null) return null as ValueOf<Variables[N]>;
  try {
    return one.parse(text) as ValueOf<Variables[N]>;
  } catch (error) {
    if (!(error instanceof ValueFault)) throw error;
    throw wrong(name, error.message, one.secret ? undefined : text);
  }
}

/** Without surrounding white space, which no value means; null when that leaves nothing. */
function given(env: Environment, name: Name): string | null {
  const text = env[name]?.trim();
  return text === undefined || text === '' ? null : text;
}

function wrong(name: Name, fault: string, value?: string): ConfigError {
  const shown = value === undefined ? '' : `=${JSON.stringify(clean(value))}`;
  return new ConfigError(`${name}${shown} ${clean(fault)}; for example ${name}=${variables[name].example}`);
}

/** Nothing that could break out of the one line. */
function clean(text: string): string {
  const printable = text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
  return printable.length > 200 ? `${printable.slice(0, 200)}…` : printable;
}
