import { createPosthorn, type Overrides, type Posthorn } from './app.ts';
import type { Config } from './config.ts';
import { underSettings } from './config/database-settings.ts';
import { makeLog } from './log.ts';
import { readRecorded } from './store/open.ts';

/** Posthorn in a process that serves nobody but whoever started it. */
export interface LocalPosthorn {
  posthorn: Posthorn;
  /** What it goes by: its own environment, and the settings of the server on the same database. */
  config: Config;
  /** Whether a server has started with other settings since. */
  isOutdated(): Promise<boolean>;
}

/** As `createPosthorn`, with the settings of the server on this database where `config` was given none. */
export async function createLocalPosthorn(own: Config, overrides: Overrides): Promise<LocalPosthorn> {
  const log = overrides.log ?? makeLog({ level: own.logLevel });
  const { config, warnings, text } = await configBesideServer(own);
  for (const sentence of warnings) log.warn({}, sentence);
  const posthorn = await createPosthorn(config, { ...overrides, log });
  return { posthorn, config, isOutdated: async () => (await posthorn.operator.recordedSettings()) !== text };
}

/** What such a process goes by, and the text that the server recorded. */
export async function configBesideServer(
  own: Config,
): Promise<{ config: Config; warnings: string[]; text: string | null }> {
  const text = await readRecorded(own.databaseUrl);
  return text === null ? { config: own, warnings: [], text } : { ...underSettings(own, text), text };
}
