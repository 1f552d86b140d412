import { pino } from 'pino';
import type { Log } from './core/ports/ports.ts';

/** Names that never reach a log, wherever in the first three levels of the facts they stand. */
const redactedNames = [
  'secret',
  'secrets',
  'key',
  'apiKey',
  'adminKey',
  'secretKey',
  'authorization',
  'Authorization',
  'cookie',
  'password',
  'token',
  'headers',
  'body',
  'data',
];
/** Paths and queries of a target can be secrets: its host is all that is logged. */
const urlNames = ['url', 'publicUrl'];
const levels = (name: string) => [name, `*.${name}`, `*.*.${name}`];

export interface LogOptions {
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** A file descriptor: 2 unless told. stdout belongs to results and protocol. */
  destination?: number;
}

/** JSON lines, written at once: what a dying process said last is what one wants to read. */
export function makeLog({ level, destination = 2 }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...redactedNames, ...urlNames].flatMap(levels), censor },
    },
    pino.destination({ dest: destination, sync: true }),
  );
  return {
    debug: (facts, message) => logger.debug(facts, message),
    info: (facts, message) => logger.info(facts, message),
    warn: (facts, message) => logger.warn(facts, message),
    error: (facts, message) => logger.error(facts, message),
  };
}

function censor(value: unknown, path: string[]): string {
  const name = path.at(-1);
  if (name === undefined || !urlNames.includes(name) || typeof value !== 'string') return '[redacted]';
  return URL.parse(value)?.host ?? '[redacted]';
}
